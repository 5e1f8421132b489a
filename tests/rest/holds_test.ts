/** Routes of legal holds on customers. */
import assert from "node:assert/strict";
import { register, tell } from "../actors/world.ts";
import { createRequestFixture } from "../gdpr/request_fixture.ts";
import { startRest } from "./server.ts";

Deno.test("holds are placed, listed, read and lifted, and an erased customer keeps those that have ended", async () => {
  await using rest = await startRest();
  const { world } = rest;
  const as = rest.staff(["PRIVACY_OFFICER"]);
  const ref = await register(world, { firstName: "Ada" });
  const path = `/customers/${ref.id}/holds`;
  assert.deepEqual((await rest.call("GET", path, { as })).body, { items: [], nextCursor: null });

  const until = new Date(Date.now() + 86_400_000).toISOString();
  const body = { ground: "LEGAL_CLAIM", until, note: "case 12" };
  const headers = { "idempotency-key": "case 12" };
  const placed = await rest.call("POST", path, { as, body, headers });
  assert.equal(placed.status, 201, placed.text);
  const { holdId, placedAt, ...rest1 } = placed.body;
  assert.deepEqual(rest1, {
    customerId: ref.id,
    ground: "LEGAL_CLAIM",
    until,
    state: "IN_EFFECT",
    placedBy: { id: as.id, service: null },
    note: "case 12",
    endedAt: null,
    liftedBy: null,
  });
  assert.ok(placedAt);
  assert.equal(placed.headers.get("location"), `${path}/${holdId}`);
  assert.equal(placed.headers.get("etag"), '"2"');
  const again = await rest.call("POST", path, { as, body, headers });
  assert.deepEqual([again.status, again.body], [201, placed.body], "one hold for each idempotency key");
  assert.deepEqual((await rest.call("GET", `${path}/${holdId}`, { as })).body, placed.body);
  const stale = await rest.call("POST", path, { as, body, headers: { "if-match": '"1"' } });
  assert.deepEqual([stale.status, stale.body.code], [412, "CONFLICT"]);

  const second = await rest.call("POST", path, { as, body: { ground: "LEGAL_OBLIGATION" } });
  const page = await rest.call("GET", `${path}?limit=1`, { as });
  assert.deepEqual(page.body.items, [second.body]);
  const next = await rest.call("GET", `${path}?limit=1&cursor=${page.body.nextCursor}`, { as });
  assert.deepEqual([next.body.items, next.body.nextCursor], [[placed.body], null]);

  for (
    const [bad, field] of [[{}, "ground"], [{ ...body, until: "2020-01-01T00:00:00Z" }, "until"]] as const
  ) {
    const refused = await rest.call("POST", path, { as, body: bad });
    assert.deepEqual([refused.status, refused.body.code], [400, "INVALID_INPUT"]);
    assert.match(refused.text, new RegExp(field));
  }
  for (const hold of [second.body.holdId, holdId]) {
    const lifted = await rest.call("POST", `${path}/${hold}/lift`, { as });
    assert.deepEqual([lifted.status, lifted.body.state, lifted.body.liftedBy?.id], [200, "LIFTED", as.id]);
    assert.equal((await rest.call("POST", `${path}/${hold}/lift`, { as })).status, 404);
  }
  const other = await register(world);
  assert.equal((await rest.call("GET", `/customers/${other.id}/holds/${holdId}`, { as })).status, 404);
  assert.equal((await rest.call("GET", `/customers/${crypto.randomUUID()}/holds`, { as })).status, 404);
  const elsewhere = rest.staff(["PRIVACY_OFFICER"], crypto.randomUUID());
  assert.equal((await rest.call("GET", path, { as: elsewhere })).status, 404);

  const fixture = createRequestFixture(world, {
    "erasure.review": () => Promise.resolve("done" as const),
  });
  const request = await fixture.open(ref, "ERASURE");
  await fixture.work();
  await tell(world, request, "participant.confirm", { service: "order-service" });
  const late = await rest.call("POST", path, { as, body: { ground: "LEGAL_CLAIM" } });
  assert.deepEqual([late.status, late.body.code], [409, "REFUSED_IN_STATE"]);
  assert.match(late.body.message, /it has been erased/);
  const history = await rest.call("GET", path, { as });
  assert.deepEqual(history.body.items.map((hold: { note: string | null }) => hold.note), [null, null]);
});
