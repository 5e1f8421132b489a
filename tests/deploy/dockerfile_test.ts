/** Contents of the image, without building it. `deno task image` builds it. */
import assert from "node:assert/strict";
import { TRUSTING } from "../production.ts";
import { assertStarts } from "./environment.ts";
import { modules } from "./modules.ts";
import { exists, readText } from "./yaml.ts";

const dockerfile = await readText("Dockerfile");
const ENTRIES = /deno cache --frozen (.*)/.exec(dockerfile)?.[1]?.split(" ") ?? [];

Deno.test("no file that the image needs is in .dockerignore", async () => {
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

Deno.test("the image's commands have the permissions and the Deno version of this repository", async () => {
  const [entrypoint] = dockerfile.match(/(?<=^ENTRYPOINT ).*/m) ?? [];
  const command: string[] = JSON.parse(entrypoint ?? "[]");
  assert.ok(!command.includes("-A") && !command.some((flag) => flag.startsWith("--allow")));
  const unstable = ["--unstable-no-legacy-abort", "--unstable-lazy-dynamic-imports"];
  for (const flag of ["-P", "--cached-only", "--frozen", ...unstable]) {
    assert.ok(command.includes(flag), flag);
  }
  const { write, ffi, read } = JSON.parse(await readText("deno.json")).permissions.default;
  assert.deepEqual(
    [write, ffi],
    [["/var/lib/customer-service"], undefined],
    "only the marker file is written",
  );
  const [folder] = dockerfile.match(/(?<=DENO_DIR=)\S+/) ?? [];
  assert.ok(read.includes(`${folder}/npm`));
  assert.match(dockerfile, new RegExp(`denoland/deno:${Deno.version.deno.replaceAll(".", "\\.")}$`, "m"));
});

Deno.test("the image exposes the service's ports", () => {
  const { httpPort, grpcPort } = assertStarts({
    ...TRUSTING,
    TRUSTED_PROXIES: "0",
    GDPR_PARTICIPANTS: "order-service",
    PEER_ORDER_SERVICE_URL: "https://order-service:50051",
  });
  assert.match(dockerfile, new RegExp(`^EXPOSE ${httpPort} ${grpcPort}$`, "m"));
});
