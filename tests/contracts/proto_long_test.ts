/** `deno task proto` after a change of the contracts, run on a copy of them. */
import assert from "node:assert/strict";
import { copyContracts, SERVICE } from "./copied_contracts.ts";

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
