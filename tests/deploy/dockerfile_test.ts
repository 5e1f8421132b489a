/** What the Dockerfile takes into the image, without building it. `deno task image` builds it. */
import assert from "node:assert/strict";
import { assertStarts } from "./environment.ts";
import { exists, readText } from "./yaml.ts";

const ROOT = new URL("../../", import.meta.url);
const dockerfile = await readText("Dockerfile");
const ENTRIES = /deno cache --frozen (.*)/.exec(dockerfile)?.[1]?.split(" ") ?? [];

Deno.test("everything that runs in the image passes .dockerignore", async () => {
  const allowed = (await readText(".dockerignore")).split("\n").filter((line) => line.startsWith("!"))
    .map((line) => line.slice(1));
  const passes = (path: string) =>
    allowed.some((name) => name === "*.ts" ? !path.includes("/") : path.split("/")[0] === name);
  assert.ok(ENTRIES.includes("main.ts"));
  for (const entry of ENTRIES) {
    const left = (await modules(entry)).filter((path) => !passes(path));
    assert.deepEqual(left, [], `${entry} needs them: add their folders to .dockerignore`);
  }
  for (const name of allowed.filter((name) => name !== "*.ts")) assert.ok(await exists(name), name);
});

Deno.test("its commands name the permissions and the Deno of this repository", async () => {
  const [entrypoint] = dockerfile.match(/(?<=^ENTRYPOINT ).*/m) ?? [];
  const command: string[] = JSON.parse(entrypoint ?? "[]");
  assert.ok(!command.includes("-A") && !command.some((flag) => flag.startsWith("--allow")));
  for (const flag of ["-P", "--cached-only", "--frozen", "--unstable-no-legacy-abort"]) {
    assert.ok(command.includes(flag), flag);
  }
  const { write, ffi, read } = JSON.parse(await readText("deno.json")).permissions.default;
  assert.deepEqual([write, ffi], [undefined, undefined]);
  const [folder] = dockerfile.match(/(?<=DENO_DIR=)\S+/) ?? [];
  assert.ok(read.includes(`${folder}/npm`));
  assert.match(dockerfile, new RegExp(`denoland/deno:${Deno.version.deno.replaceAll(".", "\\.")}$`, "m"));
});

Deno.test("its ports are the service's", () => {
  const { httpPort, grpcPort } = assertStarts({
    AUTH_MODE: "gateway",
    GRPC_AUTH: "mesh",
    GDPR_PARTICIPANTS: "order-service",
    PEER_ORDER_SERVICE_URL: "http://order-service:50051",
  });
  assert.match(dockerfile, new RegExp(`^EXPOSE ${httpPort} ${grpcPort}$`, "m"));
});

/** The files of ours that a module imports, however far away; what it loads later, only development does. */
async function modules(entry: string): Promise<string[]> {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", entry],
    cwd: ROOT,
    stderr: "null",
  }).output();
  const graph = JSON.parse(new TextDecoder().decode(stdout)) as { modules: Module[] };
  const reached = new Set([new URL(entry, ROOT).href]);
  for (const specifier of reached) {
    const found = graph.modules.find((module) => module.specifier === specifier);
    for (const { isDynamic, code } of found?.dependencies ?? []) {
      if (!isDynamic && code?.specifier.startsWith(ROOT.href)) reached.add(code.specifier);
    }
  }
  return [...reached].map((specifier) => specifier.slice(ROOT.href.length));
}

interface Module {
  specifier: string;
  dependencies?: { isDynamic?: boolean; code?: { specifier: string } }[];
}
