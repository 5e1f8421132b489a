/** Group routes: shopper groups and their members. */
import assert from "node:assert/strict";
import { endMemberships } from "../../actors/customers/end_memberships.ts";
import { startWorker } from "../../actors/runtime/worker.ts";
import { createGroup, mapConcurrently, register, tell } from "../actors/world.ts";
import { eventually } from "../eventually.ts";
import { asked } from "../rpc/client.ts";
import { serveLookups } from "../rpc/serve.ts";
import { READERS, statusesFor, WRITERS } from "./callers.ts";
import { startRest, type TestRest } from "./server.ts";

const GOLD = { name: "Gold", priceListId: crypto.randomUUID(), priority: 7 };

const manager = (rest: TestRest) => rest.staff(["CUSTOMER_MANAGER"]);

Deno.test("a group is created, read, updated and deleted, and its record remains", async () => {
  await using rest = await startRest();
  const as = manager(rest);
  const created = await rest.call("POST", "/groups", { as, body: GOLD });
  const { groupId, createdAt, updatedAt } = created.body;
  assert.deepEqual([created.status, created.body], [201, {
    groupId,
    ...GOLD,
    version: 1,
    createdAt,
    updatedAt: createdAt,
    deletedAt: null,
  }]);
  const path = `/groups/${groupId}`;
  assert.deepEqual([created.headers.get("location"), created.headers.get("etag")], [path, '"1"']);
  const read = await rest.call("GET", path, { as });
  assert.deepEqual([read.status, read.body, read.headers.get("etag")], [200, created.body, '"1"']);
  const notModified = await rest.call("GET", path, { as, headers: { "if-none-match": '"1"' } });
  assert.deepEqual([notModified.status, notModified.text], [304, ""]);

  const changed = await rest.call("PATCH", path, { as, body: { priority: -1, name: "Golden" } });
  assert.deepEqual([changed.status, changed.headers.get("etag")], [200, '"2"']);
  assert.ok(changed.body.updatedAt >= updatedAt);
  assert.deepEqual({ ...changed.body, updatedAt }, {
    ...created.body,
    priority: -1,
    name: "Golden",
    version: 2,
  });
  assert.deepEqual((await rest.call("PATCH", path, { as, body: { priority: -1 } })).body, changed.body);

  const deleted = await rest.call("DELETE", path, { as });
  assert.deepEqual([deleted.status, deleted.text, deleted.headers.get("etag")], [204, "", '"3"']);
  const record = (await rest.call("GET", path, { as })).body;
  assert.equal(record.deletedAt, record.updatedAt);
  assert.deepEqual(record, {
    ...changed.body,
    version: 3,
    updatedAt: record.updatedAt,
    deletedAt: record.deletedAt,
  });
  const patched = await rest.call("PATCH", path, { as, body: { priority: 1 } });
  assert.deepEqual([patched.status, patched.body.code], [409, "REFUSED_IN_STATE"]);
  assert.equal((await rest.call("DELETE", path, { as })).status, 404);
  assert.equal((await rest.call("POST", "/groups", { as, body: { ...GOLD, name: "Golden" } })).status, 201);
});

Deno.test("a name is unique among the groups of a store", async () => {
  await using rest = await startRest();
  const as = manager(rest);
  assert.equal((await rest.call("POST", "/groups", { as, body: GOLD })).status, 201);
  const twin = await rest.call("POST", "/groups", { as, body: GOLD });
  assert.deepEqual([twin.status, twin.body.code], [409, "ALREADY_EXISTS"]);
  const other = await rest.call("POST", "/groups", { as, body: { ...GOLD, name: "Silver" } });
  const renamed = await rest.call("PATCH", `/groups/${other.body.groupId}`, { as, body: { name: "Gold" } });
  assert.deepEqual([renamed.status, renamed.body.code], [409, "ALREADY_EXISTS"]);
  const elsewhere = rest.staff(["STORE_MANAGER"], crypto.randomUUID());
  assert.equal((await rest.call("POST", "/groups", { as: elsewhere, body: GOLD })).status, 201);
  assert.equal((await rest.call("GET", "/groups", { as: elsewhere })).body.items.length, 1);
});

Deno.test("a change of a group honors If-Match, and is applied once per idempotency key", async () => {
  await using rest = await startRest();
  const as = manager(rest);
  const key = { "idempotency-key": "g 1" };
  const first = await rest.call("POST", "/groups", { as, body: GOLD, headers: key });
  const again = await rest.call("POST", "/groups", { as, body: GOLD, headers: key });
  assert.deepEqual([again.status, again.body], [201, first.body]);
  const other = await rest.call("POST", "/groups", { as, body: { ...GOLD, priority: 8 }, headers: key });
  assert.deepEqual([other.status, other.body.code], [400, "INVALID_INPUT"]);

  const path = `/groups/${first.body.groupId}`;
  const headers = { "if-match": '"2"' };
  for (
    const reply of [
      await rest.call("PATCH", path, { as, body: { priority: 1 }, headers }),
      await rest.call("DELETE", path, { as, headers }),
    ]
  ) assert.deepEqual([reply.status, reply.body.code], [412, "CONFLICT"]);
  const deletion = { as, headers: { "if-match": '"1"', "idempotency-key": "g 2" } };
  assert.equal((await rest.call("DELETE", path, deletion)).status, 204);
  assert.equal((await rest.call("DELETE", path, deletion)).status, 204);
});

Deno.test("invalid fields and parameters are refused by name", async () => {
  await using rest = await startRest();
  const as = manager(rest);
  const body = { name: " ", priceListId: "7", priority: 2 ** 31, color: "red" };
  const reply = await rest.call("POST", "/groups", { as, body });
  assert.deepEqual([reply.status, reply.body.code], [400, "INVALID_INPUT"]);
  const problems =
    "name must not be empty; priceListId must be a UUID; priority must be at most 2147483647; " +
    "color is not known";
  assert.equal(reply.body.message, `Cannot accept the request POST /groups: ${problems}`);
  const empty = await rest.call("POST", "/groups", { as, body: { priority: "high" } });
  assert.deepEqual(empty.body.details, [
    { field: "name", message: "is required" },
    { field: "priceListId", message: "is required" },
    { field: "priority", message: "must be of type number" },
  ]);
  for (
    const query of [
      "limit=0",
      "limit=101",
      "limit=x",
      "cursor=eyJ9",
      "deleted=1",
      "page=2",
      "limit=1&limit=2",
    ]
  ) {
    assert.equal((await rest.call("GET", `/groups?${query}`, { as })).status, 400, query);
  }
  assert.equal((await rest.call("GET", "/groups/7", { as })).status, 400);
  const { body: { message } } = await rest.call("GET", "/groups?limit=0&deleted=1", { as });
  assert.equal(
    message,
    "Cannot accept the request GET /groups: deleted must be true or false; limit must be at least 1",
  );
});

Deno.test("the list is paginated, and filtered by name prefix and by deletion", async () => {
  await using rest = await startRest();
  const as = manager(rest);
  const ids: string[] = [];
  for (const name of ["Gold", "golden", "Silver", "100%", "100 %", "Bronze", "Gone"]) {
    const { id } = await createGroup(rest.world, { name });
    if (name === "Gone") {
      await tell(rest.world, { kind: "shopper_group", storeId: as.storeId, id }, "group.delete");
    }
    ids.push(id);
  }
  const pages: string[][] = [];
  let next = "";
  do {
    const { body } = await rest.call("GET", `/groups?limit=3${next}`, { as });
    pages.push(body.items.map((group: { groupId: string }) => group.groupId));
    next = body.nextCursor === null ? "" : `&cursor=${body.nextCursor}`;
  } while (next !== "");
  assert.deepEqual(pages.map((page) => page.length), [3, 3, 1]);
  assert.deepEqual(pages.flat(), ids.toSorted());
  assert.equal((await rest.call("GET", "/groups?limit=7", { as })).body.nextCursor, null);
  const names = async (query: string) =>
    (await rest.call("GET", `/groups?${query}`, { as })).body.items
      .map((group: { name: string }) => group.name).sort();
  assert.deepEqual(await names("namePrefix=gol"), ["Gold", "golden"]);
  assert.deepEqual(await names("namePrefix=100%25"), ["100%"]);
  assert.deepEqual(await names("namePrefix=Gol&deleted=true"), []);
  assert.deepEqual(await names("deleted=true"), ["Gone"]);
  assert.equal((await names("deleted=false")).length, 6);
});

Deno.test("a deleted group decides no prices after the response, and each of 1,000 memberships publishes its end", async () => {
  await using rest = await startRest();
  await using rpc = await serveLookups(rest.world.database);
  const { admin, storeId } = rest.world;
  const as = manager(rest);
  const group = await createGroup(rest.world, { ...GOLD, name: "Large" });
  const ids = await mapConcurrently(Array(1_000), async () => {
    const ref = await register(rest.world);
    await tell(rest.world, ref, "group.assign", { groupId: group.id });
    return ref.id;
  });
  const [customerId = ""] = ids;
  const priceLists = async () => [
    (await rest.call("GET", `/customers/${customerId}/price-list`, { as })).body.priceListId,
    (await rpc.client.groups(asked({ storeId, customerId }))).response.price_list_id || null,
  ];
  assert.deepEqual(await priceLists(), [GOLD.priceListId, GOLD.priceListId]);

  assert.equal((await rest.call("DELETE", `/groups/${group.id}`, { as })).status, 204);
  assert.deepEqual(await priceLists(), [null, null]);
  const readMembers = async () => {
    const members: string[] = [];
    let next = "";
    do {
      const { body } = await rest.call("GET", `/groups/${group.id}/members?limit=100${next}`, { as });
      members.push(...body.items.map((member: { customerId: string }) => member.customerId));
      next = body.nextCursor === null ? "" : `&cursor=${body.nextCursor}`;
    } while (next !== "");
    return members;
  };
  assert.deepEqual(await readMembers(), ids.toSorted());

  await using _worker = startWorker({
    sql: rest.world.database.pool("customer_worker"),
    api: rest.world.database.pool("customer_api"),
    actors: rest.world.actors,
    performers: { "memberships.end": endMemberships },
  });
  await eventually(async () => assert.deepEqual(await readMembers(), []), 60_000);
  const published = await admin<{ key: string; events: number }[]>`
    select key, count(*)::int as events from outbox
    where topic = 'customer.group_removed' and payload ->> 'groupId' = ${group.id} group by key order by key`;
  assert.deepEqual(published.map(({ key }) => key), ids.toSorted());
  assert.ok(published.every(({ events }) => events === 1));
});

Deno.test("members have an ID and the time of their assignment, and nothing else", async () => {
  await using rest = await startRest();
  const group = await createGroup(rest.world);
  const ref = await register(rest.world, { firstName: "Grace" });
  await tell(rest.world, ref, "group.assign", { groupId: group.id });
  const { body } = await rest.call("GET", `/groups/${group.id}/members`, { as: manager(rest) });
  const [{ assignedAt }] = body.items;
  assert.ok(Date.parse(assignedAt) > 0);
  assert.deepEqual(body, { items: [{ customerId: ref.id, assignedAt }], nextCursor: null });
  const unknown = await rest.call("GET", `/groups/${crypto.randomUUID()}/members`, { as: manager(rest) });
  assert.equal(unknown.status, 404);
});

Deno.test("support reads groups, managers change them, and all other callers are refused", async () => {
  await using rest = await startRest();
  const { id } = await createGroup(rest.world);
  const every = (call: Parameters<typeof statusesFor>[2]) => statusesFor(rest, crypto.randomUUID(), call);
  const ownList = { OTHER_STORE: 200 };
  assert.deepEqual(await every((by) => rest.call("GET", "/groups", by)), { ...READERS(), ...ownList });
  assert.deepEqual(await every((by) => rest.call("GET", `/groups/${id}`, by)), READERS());
  assert.deepEqual(await every((by) => rest.call("GET", `/groups/${id}/members`, by)), READERS());
  assert.deepEqual(
    await every((by) =>
      rest.call("POST", "/groups", { ...by, body: { ...GOLD, name: crypto.randomUUID() } })
    ),
    { ...WRITERS(201), OTHER_STORE: 201 },
  );
  assert.deepEqual(
    await every((by) => rest.call("PATCH", `/groups/${id}`, { ...by, body: { priority: 3 } })),
    WRITERS(),
  );
  assert.deepEqual(
    await every(async (by) => rest.call("DELETE", `/groups/${(await createGroup(rest.world)).id}`, by)),
    WRITERS(204),
  );
});
