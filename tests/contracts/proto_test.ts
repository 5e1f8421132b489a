/** The check of `deno task proto`, run on a copy of the contracts. */
import assert from "node:assert/strict";
import { copyContracts, SERVICE } from "./copied_contracts.ts";

const ROOT = new URL("../../", import.meta.url);
const GENERATED = "proto/gen/io/shopstar/customer/v1/customer_service_pb.ts";

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
