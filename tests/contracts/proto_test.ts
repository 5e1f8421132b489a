/** `deno task proto` and its check, run on a copy of the contracts. */
import assert from "node:assert/strict";

const ROOT = new URL("../../", import.meta.url);
const SERVICE = "proto/io/shopstar/customer/v1/customer_service.proto";
const GENERATED = "proto/gen/io/shopstar/customer/v1/customer_service_pb.ts";

Deno.test("a removed field is refused until the break is accepted", async () => {
  await using copy = await copyContracts();
  await copy.edit(SERVICE, (text) => text.replace("  int32 priority = 4;\n", ""));
  const { success, said } = await copy.task("check");
  assert.equal(success, false);
  assert.match(said, /field "4" with name "priority".*\n.*deno task proto accept-break/);
  assert.equal((await copy.task("accept-break")).success, true);
  assert.equal((await copy.task()).success, true);
});

Deno.test("an added field passes once its code and the baseline are written", async () => {
  await using copy = await copyContracts();
  await copy.edit(SERVICE, (text) => text.replace("int32 priority = 4;", "$&\n  string note = 9;"));
  const { success, said } = await copy.task("check");
  assert.equal(success, false);
  assert.match(said, /baseline\.binpb is not current/);
  assert.match(said, /customer_service_pb\.ts is not current: run deno task proto/);
  assert.equal((await copy.task()).success, true);
});

Deno.test("generated code that was edited by hand is refused, and everything else as committed passes", async () => {
  await using copy = await copyContracts();
  await copy.edit(GENERATED, (text) => `${text}\n// edited\n`);
  assert.deepEqual(await copy.task("check"), {
    success: false,
    said: `${GENERATED} is not current: run deno task proto\n`,
  });
});

Deno.test("a contract against buf's lint rules is refused", async () => {
  await using copy = await copyContracts();
  await copy.edit(SERVICE, (text) => text.replace("string customer_id = 1;", "string customerId = 1;"));
  const { success, said } = await copy.task("check");
  assert.equal(success, false);
  assert.match(said, /Field name "customerId" should be lower_snake_case/);
});

Deno.test("each proto file names its packages in Java and Go, so that generators need no options", async () => {
  const files: string[] = [];
  for (const folder of ["proto/io", "grpc/proto/grpc"]) {
    for (const path of await protosIn(folder)) {
      const text = await Deno.readTextFile(new URL(path, ROOT));
      for (const option of [/^option go_package = "\S+";$/m, /^option java_multiple_files = true;$/m]) {
        assert.match(text, option, path);
      }
      assert.match(text, /^option java_package = "io\.(shopstar|grpc)\.\S+";$/m, path);
      files.push(path);
    }
  }
  assert.ok(files.length >= 7);
});

Deno.test("protos import one another by no path, so that Python can generate code from proto/io", async () => {
  const paths = await protosIn("proto/io");
  assert.ok(paths.length >= 4);
  for (const path of paths) {
    const text = await Deno.readTextFile(new URL(path, ROOT));
    assert.doesNotMatch(text, /^import .*"io\//m, path);
  }
});

async function protosIn(folder: string): Promise<string[]> {
  const paths: string[] = [];
  for await (const entry of Deno.readDir(new URL(folder, ROOT))) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) paths.push(...await protosIn(path));
    else if (path.endsWith(".proto")) paths.push(path);
  }
  return paths;
}

async function copyContracts() {
  const folder = await Deno.makeTempDir({ prefix: "customer-service-contracts-" });
  for (const file of ["deno.json", "deno.lock", "package.json"]) {
    await Deno.copyFile(new URL(file, ROOT), `${folder}/${file}`);
  }
  for (const path of ["proto", "grpc/proto", "grpc/gen"]) await copyFolder(path, folder);
  return {
    async edit(path: string, change: (text: string) => string) {
      const text = await Deno.readTextFile(`${folder}/${path}`);
      assert.notEqual(change(text), text, "the edit found nothing to change");
      await Deno.writeTextFile(`${folder}/${path}`, change(text));
    },
    async task(...args: string[]) {
      const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", "--quiet", `${folder}/proto/task.ts`, ...args],
        cwd: folder,
        env: { PATH: "/nowhere", NO_COLOR: "1" },
      }).output();
      return { success, said: new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr) };
    },
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}

async function copyFolder(path: string, to: string): Promise<void> {
  await Deno.mkdir(`${to}/${path}`, { recursive: true });
  for await (const entry of Deno.readDir(new URL(path, ROOT))) {
    const below = `${path}/${entry.name}`;
    if (entry.isDirectory) await copyFolder(below, to);
    else await Deno.copyFile(new URL(below, ROOT), `${to}/${below}`);
  }
}
