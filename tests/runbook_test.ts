/** The runbook covers every alert, and its commands work. */
import assert from "node:assert/strict";
import postgres from "postgres";
import { describeError } from "../lib/error_description.ts";
import { createDatabase } from "./database.ts";
import { readYaml } from "./deploy/yaml.ts";
import { readAlerts, readDashboard } from "./telemetry/prometheus.ts";

const DOCS = new URL("../docs/", import.meta.url);
const page = await Deno.readTextFile(new URL("runbook.md", DOCS));
const [, alerts = ""] = page.match(/^## Alerts$([^]*?)^## /m) ?? [];

Deno.test("alerts and sections of the runbook match, in the same order", async () => {
  const sections = [...alerts.matchAll(/^### (.+)$/gm)].map(([, title]) => title);
  assert.deepEqual(sections, (await readAlerts()).map(({ name }) => name));
});

Deno.test("every section has the parts means, look, do and escalate", () => {
  for (const section of alerts.split(/^### /m).slice(1)) {
    for (const word of [/\*\*Means\*\*/, /\*\*Look\b/, /\b[Dd]o\*\*/, /\*\*Escalate\*\*/]) {
      assert.match(section, word, section.slice(0, 60));
    }
  }
});

Deno.test("every panel in the runbook is on the dashboard", async () => {
  const titles = new Set((await readDashboard()).panels.map(({ title }) => title));
  const named = [...page.matchAll(/(?<!\w)_([A-Z][^_]+)_(?!\w)/g)].map(([, title]) =>
    title!.replace(/\s+/g, " ")
  );
  assert.ok(named.length > 20);
  assert.deepEqual(named.filter((title) => !titles.has(title)), []);
});

Deno.test("every link has a target", async () => {
  for (const [, path = "", anchor] of page.matchAll(/\]\(([^)#]*)(?:#([^)]*))?\)/g)) {
    const target = path === "" ? page : await Deno.readTextFile(new URL(path, DOCS));
    if (anchor === undefined) continue;
    const anchors = [...target.matchAll(/^#+ (.+)$/gm)].map(([, title]) => anchorOf(title!));
    assert.ok(anchors.includes(anchor), `${path}#${anchor}`);
  }
});

Deno.test("quoted messages are messages of the service", async () => {
  const messages = [await refusedPassword()];
  for await (const path of sources()) messages.push(withoutComments(await Deno.readTextFile(path)));
  const prose = page.replace(/^ *```[^]*?^ *```$/gm, "").replace(/`[^`]*`/g, "");
  const quoted = [...prose.matchAll(/"([^"]*)"/g)].map(([, words]) => words!.replace(/\s+/g, " "));
  assert.ok(quoted.length > 10);
  const unknown = quoted.filter((words) =>
    !messages.some((text) => words.split("…").every((part) => text.includes(part.trim())))
  );
  assert.deepEqual(unknown, []);
});

Deno.test("the owner of the tables can run every statement", async () => {
  await using database = await createDatabase();
  const blocks = [...page.matchAll(/^( *)```sql\n([^]*?)^ *```$/gm)].map(([, , sql]) => sql!);
  const statements = blocks.flatMap((block) => block.split(";")).filter((sql) => sql.trim() !== "");
  assert.ok(statements.length > 15);
  for (const statement of statements) {
    const text = statement.replace(/:'(\w+)'/g, () => `'${crypto.randomUUID()}'`);
    const tried = database.admin.begin(async (tx) => {
      await tx`set local role customer_owner`;
      await tx.unsafe(text);
    });
    await assert.doesNotReject(tried, statement);
  }
});

Deno.test({
  name: "the replay job is the service's pod with another command and without its traffic",
  ignore: !await hasJq(),
  async fn() {
    const [deployment] = await readYaml("deploy/kubernetes/base/deployment.yaml");
    const [, program = ""] = page.match(/get deployment customer-service -o json \| jq '([^']+)'/) ?? [];
    const job = await jq(program, deployment);
    assert.deepEqual([job.kind, job.spec.template.spec.restartPolicy], ["Job", "Never"]);
    const [pod, original] = [job.spec.template, deployment.spec.template];
    assert.notEqual(
      pod.metadata.labels["app.kubernetes.io/component"],
      original.metadata.labels["app.kubernetes.io/component"],
    );
    assert.equal(pod.spec.serviceAccountName, original.spec.serviceAccountName);
    const [{ command, ...container }] = pod.spec.containers;
    const { ports: _, startupProbe: __, livenessProbe: ___, readinessProbe: ____, ...expected } =
      original.spec.containers[0];
    assert.deepEqual(container, expected);
    const [migrate] = await readYaml("deploy/kubernetes/base/migrate.yaml");
    const flags = migrate.spec.template.spec.containers[0].command.slice(0, -1);
    assert.deepEqual(command, [...flags, "tasks/erasure.ts", "replay", "--from", "kafka"]);
    assert.equal(migrate.metadata.labels["app.kubernetes.io/component"], "migrate");
  },
});

Deno.test("no statement selects personal values", () => {
  for (const [block] of page.matchAll(/```sql[^]*?```/g)) assert.doesNotMatch(block, /select \*/);
});

/** Log message of a refused database password. */
async function refusedPassword(): Promise<string> {
  await using database = await createDatabase();
  const sql = postgres(Object.assign(new URL(database.url), { password: "another" }).href, { max: 1 });
  return await sql`select`.then(() => assert.fail(), describeError).finally(() => sql.end());
}

/** Source files of the service. */
async function* sources(folder = new URL("../", DOCS)): AsyncGenerator<URL> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (/^(\.|tests$|bench$|vendor$|docs$)/.test(name)) continue;
    if (isDirectory) yield* sources(new URL(`${name}/`, folder));
    else if (/\.tsx?$/.test(name)) yield new URL(name, folder);
  }
}

function withoutComments(source: string): string {
  return source.replace(/^\s*(\/\/|\/?\*).*$/gm, "");
}

/** Anchor of a heading, as on GitHub. */
function anchorOf(title: string): string {
  return title.toLowerCase().replace(/[^\p{L}\p{N} _-]/gu, "").replaceAll(" ", "-");
}

// deno-lint-ignore no-explicit-any -- jq returns any JSON
async function jq(program: string, input: unknown): Promise<any> {
  const process = new Deno.Command("jq", { args: [program], stdin: "piped", stdout: "piped" }).spawn();
  await new Response(JSON.stringify(input)).body!.pipeTo(process.stdin);
  const { success, stdout } = await process.output();
  assert.ok(success);
  return JSON.parse(new TextDecoder().decode(stdout));
}

async function hasJq(): Promise<boolean> {
  return await new Deno.Command("jq", { args: ["--version"], stdout: "null" }).output().then(
    ({ success }) => success,
    () => false,
  );
}
