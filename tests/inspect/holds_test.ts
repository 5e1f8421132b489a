/** Legal holds on the page of a customer: the forms place and lift them, and report what was refused. */
import assert from "node:assert/strict";
import { register, tell } from "../actors/world.ts";
import { startInspector } from "./server.ts";

Deno.test("an officer places and lifts a hold, and the page reports what was done or refused", async () => {
  await using inspector = await startInspector();
  const { world, officer } = inspector;
  const ref = await register(world, { firstName: "Ada" });
  const path = `/inspect/customers/${ref.id}`;
  const show = async (at = path) => await (await inspector.get(at, officer)).text();
  assert.match(await show(), /No legal hold is in effect/);
  const form = {
    action: "place",
    version: "1",
    ground: "LEGAL_CLAIM",
    until: "2040-01-01",
    note: "case 12",
    confirmed: "yes",
  };
  for (
    const [changes, status, message] of [
      [{ confirmed: "" }, 400, /check the box/],
      [{ ground: "" }, 400, /choose a ground/],
      [{ until: "2020-01-01" }, 400, /until must be in the future/],
      [{ note: "Ada sues" }, 400, /note must not contain/],
      [{ version: "7" }, 412, /Conflict: the customer has changed/],
    ] as const
  ) {
    const refused = await inspector.post(`${path}/holds`, officer, { ...form, ...changes });
    const page = await refused.text();
    assert.equal(refused.status, status, page);
    assert.match(page, message);
    assert.match(page, /id="place-hold" open/, "the form stays filled in");
  }
  const malformed = await inspector.post(`${path}/holds`, officer, { action: "melt" });
  assert.equal(malformed.status, 400);
  await malformed.body?.cancel();

  const placed = await inspector.post(`${path}/holds`, officer, form);
  assert.equal(placed.status, 303);
  const target = placed.headers.get("location")!;
  assert.match(await show(target), /You placed the hold\./);
  const page = await show();
  assert.match(page, /Legal claim/);
  assert.match(page, /case 12/);
  assert.doesNotMatch(page, /You placed the hold/);
  const [row] = await world.admin`select hold_id, until from customer_holds where customer_id = ${ref.id}`;
  assert.deepEqual(row?.until, new Date("2040-01-01T00:00:00Z"));
  const colleague = inspector.staff(["STORE_MANAGER"]);
  const seen = await (await inspector.get(target, colleague)).text();
  assert.doesNotMatch(seen, /You placed the hold/, "an address proves nothing");

  const lifting = { action: "lift", version: "2", holdId: row!.holdId, note: "", confirmed: "yes" };
  const lifted = await inspector.post(`${path}/holds`, colleague, lifting);
  assert.equal(lifted.status, 303);
  const done = await (await inspector.get(lifted.headers.get("location")!, colleague)).text();
  assert.match(done, /You lifted the hold\./);
  assert.match(await show(), /No legal hold is in effect/);
  await tell(world, ref, "erase", { requestId: crypto.randomUUID() });
  assert.doesNotMatch(await show(), /Place a legal hold/);
});
