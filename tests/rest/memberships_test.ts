/** Membership routes: assign groups to customers and remove them. */
import assert from "node:assert/strict";
import { GROUP_LIMIT } from "../../actors/customers/customer_machine.ts";
import { createGroup, register, tell } from "../actors/world.ts";
import { READERS, statusesFor, WRITERS } from "./callers.ts";
import { startRest, type TestRest } from "./server.ts";

async function arrange(rest: TestRest) {
  const ref = await register(rest.world);
  return { as: rest.staff(["CUSTOMER_MANAGER"]), ref, path: `/customers/${ref.id}/groups` };
}

/** Returns the topics of the customer's group events. */
async function publishedTopics({ world }: TestRest, id: string) {
  const rows = await world.admin<{ topic: string }[]>`
    select topic from outbox where key = ${id} and topic like 'customer.group%' order by seq`;
  return rows.map(({ topic }) => topic);
}

Deno.test("assigning and removing a group are idempotent", async () => {
  await using rest = await startRest();
  const { as, ref, path } = await arrange(rest);
  const group = await createGroup(rest.world, { name: "Gold", priority: 7 });
  const one = `${path}/${group.id}`;
  const first = await rest.call("PUT", one, { as });
  const { priceListId, assignedAt } = first.body;
  assert.deepEqual([first.status, first.body, first.headers.get("etag")], [
    201,
    { groupId: group.id, name: "Gold", priceListId, priority: 7, assignedAt },
    '"2"',
  ]);
  const again = await rest.call("PUT", one, { as });
  assert.deepEqual([again.status, again.body, again.headers.get("etag")], [200, first.body, '"2"']);
  assert.deepEqual((await rest.call("GET", path, { as })).body, { items: [first.body] });
  const removed = await rest.call("DELETE", one, { as });
  assert.deepEqual([removed.status, removed.text, removed.headers.get("etag")], [204, "", '"3"']);
  assert.equal((await rest.call("DELETE", one, { as })).status, 404);
  assert.deepEqual((await rest.call("GET", path, { as })).body, { items: [] });
  assert.deepEqual(await publishedTopics(rest, ref.id), [
    "customer.group_assigned",
    "customer.group_removed",
  ]);
});

Deno.test("the groups of a customer are listed in resolution order", async () => {
  let now = Date.now();
  await using rest = await startRest({ clock: () => new Date(++now) });
  const { as, path } = await arrange(rest);
  const expected: [number, string][] = [];
  for (const priority of [1, 9, 5, 9]) {
    const { id } = await createGroup(rest.world, { priority });
    await rest.call("PUT", `${path}/${id}`, { as });
    expected.push([priority, id]);
  }
  const { items } = (await rest.call("GET", path, { as })).body;
  const order = [1, 3, 2, 0].map((at) => expected[at]);
  assert.deepEqual(
    items.map((item: { priority: number; groupId: string }) => [item.priority, item.groupId]),
    order,
  );
});

Deno.test("a customer with the maximum number of groups refuses another one, and keeps its groups", async () => {
  await using rest = await startRest();
  const { as, path } = await arrange(rest);
  const ids: string[] = [];
  for (let at = 0; at < GROUP_LIMIT; at++) {
    const { id } = await createGroup(rest.world);
    assert.equal((await rest.call("PUT", `${path}/${id}`, { as })).status, 201);
    ids.push(id);
  }
  const beyond = await rest.call("PUT", `${path}/${(await createGroup(rest.world)).id}`, { as });
  assert.deepEqual([beyond.status, beyond.body.code], [409, "REFUSED_IN_STATE"]);
  assert.match(beyond.body.message, /: it is active; there are 50 groups, which is the limit$/);
  assert.equal((await rest.call("PUT", `${path}/${ids[0]}`, { as })).status, 200);
});

Deno.test("an assignment honors If-Match, and is applied once per idempotency key", async () => {
  await using rest = await startRest();
  const { as, path } = await arrange(rest);
  const one = `${path}/${(await createGroup(rest.world)).id}`;
  const stale = await rest.call("PUT", one, { as, headers: { "if-match": '"2"' } });
  assert.deepEqual([stale.status, stale.body.code], [412, "CONFLICT"]);
  const headers = { "if-match": '"1"', "idempotency-key": "gold 1" };
  const first = await rest.call("PUT", one, { as, headers });
  const again = await rest.call("PUT", one, { as, headers });
  assert.deepEqual([again.status, again.body], [201, first.body]);
  assert.equal((await rest.call("DELETE", one, { as, headers: { "if-match": '"1"' } })).status, 412);
  assert.equal((await rest.call("DELETE", one, { as, headers })).status, 400);
  assert.equal((await rest.call("DELETE", one, { as, headers: { "if-match": '"2"' } })).status, 204);
});

Deno.test("memberships have a version of their own: that of the customer does not change, nor when it was updated", async () => {
  await using rest = await startRest();
  const { as, ref, path } = await arrange(rest);
  const customer = `/customers/${ref.id}`;
  const before = await rest.call("GET", customer, { as });
  assert.equal((await rest.call("GET", path, { as })).headers.get("etag"), '"1"');
  const group = await createGroup(rest.world);
  await rest.call("PUT", `${path}/${group.id}`, { as });
  assert.equal((await rest.call("GET", path, { as })).headers.get("etag"), '"2"');
  const after = await rest.call("GET", customer, { as });
  assert.deepEqual([after.body, after.headers.get("etag")], [before.body, before.headers.get("etag")]);
  const headers = { "if-match": '"1"' };
  const changed = await rest.call("PATCH", customer, { as, headers, body: { firstName: "Ada" } });
  assert.deepEqual([changed.status, changed.headers.get("etag")], [200, '"2"']);
  const removal = await rest.call("DELETE", `${path}/${group.id}`, { as, headers: { "if-match": '"2"' } });
  assert.deepEqual([removal.status, removal.headers.get("etag")], [204, '"3"']);
  const rows = await rest.world.admin`
    select sequence, event_type from actor_events where actor_id = ${ref.id} order by sequence`;
  assert.deepEqual(rows.map(({ sequence, eventType }) => [sequence, eventType]), [
    [1, "register"],
    [2, "group.assign"],
    [3, "profile.update"],
    [4, "group.remove"],
  ]);
});

Deno.test("unknown, foreign and deleted groups are refused, as are unknown, closed and erased customers", async () => {
  await using rest = await startRest();
  const { as, ref, path } = await arrange(rest);
  const group = await createGroup(rest.world);
  const put = async (path: string) => (await rest.call("PUT", path, { as })).status;
  assert.equal(await put(`${path}/${crypto.randomUUID()}`), 404);
  assert.equal(await put(`/customers/${crypto.randomUUID()}/groups/${group.id}`), 404);
  assert.equal(await put(`${path}/gold`), 400);
  const elsewhere = { ...rest.world, storeId: crypto.randomUUID() };
  elsewhere.system = { ...rest.world.system, storeId: elsewhere.storeId };
  assert.equal(await put(`${path}/${(await createGroup(elsewhere)).id}`), 404);
  const deleted = await createGroup(rest.world);
  await tell(rest.world, deleted, "group.delete");
  assert.equal(await put(`${path}/${deleted.id}`), 404);
  await tell(rest.world, ref, "account.close");
  assert.equal(await put(`${path}/${group.id}`), 409);
  await tell(rest.world, ref, "erase", { requestId: crypto.randomUUID() });
  assert.equal(await put(`${path}/${group.id}`), 409);
  assert.equal((await rest.call("DELETE", `${path}/${group.id}`, { as })).status, 409);
  assert.deepEqual((await rest.call("GET", path, { as })).body, { items: [] });
  assert.equal((await rest.call("GET", `/customers/${crypto.randomUUID()}/groups`, { as })).status, 404);
});

Deno.test("support reads memberships, managers change them, and all other callers are refused", async () => {
  await using rest = await startRest();
  const { ref, path } = await arrange(rest);
  const every = (call: Parameters<typeof statusesFor>[2]) => statusesFor(rest, ref.id, call);
  assert.deepEqual(await every((by) => rest.call("GET", path, by)), READERS());
  assert.deepEqual(
    await every(async (by) => rest.call("PUT", `${path}/${(await createGroup(rest.world)).id}`, by)),
    WRITERS(201),
  );
  const removal: Parameters<typeof every>[0] = async (by) => {
    const { id } = await createGroup(rest.world);
    await tell(rest.world, ref, "group.assign", { groupId: id });
    return rest.call("DELETE", `${path}/${id}`, by);
  };
  assert.deepEqual(await every(removal), WRITERS(204));
});
