/** Audit of reads, searches, exports and refusals over REST. */
import assert from "node:assert/strict";
import type { Principal } from "../../domain/principal.ts";
import { ADDRESS, createGroup, register, tell, type World } from "../actors/world.ts";
import { startRest, type TestRest } from "./server.ts";

interface Recorded {
  topic: string;
  key: string;
  // deno-lint-ignore no-explicit-any -- protobuf's JSON
  payload: any;
}

/** Returns the events of the audit log that `act` has caused. */
async function recordedBy(world: World, act: () => Promise<unknown>): Promise<Recorded[]> {
  const seen = await world.admin<{ eventId: string }[]>`select event_id from outbox`;
  await act();
  return await world.admin<Recorded[]>`
    select topic, key, payload from outbox
    where topic = 'audit.event' and event_id <> all(${seen.map(({ eventId }) => eventId)}::uuid[])
    order by seq`;
}

const actionsOf = (events: readonly Recorded[]) => events.map(({ payload }) => payload.action);

/** Number of rows that a change or a read would write. */
async function countRows({ admin }: World) {
  const [row] = await admin`
    select (select count(*)::int from outbox) as outbox, (select count(*)::int from actor_events) as journal`;
  return row;
}

const SECRET = "Kvetchmann";

async function arrange(rest: TestRest) {
  const { world } = rest;
  const customer = await register(world, { firstName: SECRET, email: `${SECRET}@example.com` });
  const { ids } = await tell(world, customer, "address.add", ADDRESS);
  const group = await createGroup(world);
  await tell(world, customer, "group.assign", { groupId: group.id });
  const opened = await tell(
    world,
    { kind: "gdpr_request", storeId: world.storeId, id: crypto.randomUUID() },
    "open",
    {
      customerId: customer.id,
      right: "ACCESS",
    },
  );
  return { customerId: customer.id, addressId: ids.addressId!, groupId: group.id, requestId: opened.id };
}

Deno.test("each read of a customer by staff and services is recorded with who, what and how many", async (t) => {
  await using rest = await startRest();
  const { world } = rest;
  const { customerId, addressId, groupId, requestId } = await arrange(rest);
  const manager = rest.staff(["STORE_MANAGER"]);
  const customer = { type: "customer", id: customerId };
  const request = { type: "gdpr_request", id: requestId };
  const one = { customerId, rows: 1 };
  const reads: [
    method: string,
    path: string,
    operation: string,
    action: string,
    expected: object,
    body?: object,
  ][] = [
    ["GET", `/customers/${customerId}`, "getCustomer", "CUSTOMER_READ", { ...one, target: customer }],
    ["GET", `/customers/${customerId.toUpperCase()}`, "getCustomer", "CUSTOMER_READ", {
      ...one,
      target: customer,
    }],
    ["GET", `/customers/${customerId}/addresses`, "listAddresses", "CUSTOMER_READ", {
      ...one,
      target: customer,
    }],
    [
      "GET",
      `/customers/${customerId}/addresses/${addressId}`,
      "getAddress",
      "CUSTOMER_READ",
      { ...one, target: customer },
    ],
    ["GET", `/customers/${customerId}/groups`, "listCustomerGroups", "CUSTOMER_READ", {
      ...one,
      target: customer,
    }],
    ["GET", `/customers/${customerId}/price-list`, "getPriceList", "CUSTOMER_READ", {
      ...one,
      target: customer,
    }],
    [
      "GET",
      `/customers?namePrefix=${SECRET}`,
      "listCustomers",
      "CUSTOMERS_LISTED",
      { rows: 1, customerIds: [customerId] },
    ],
    [
      "POST",
      "/customers/search",
      "searchCustomers",
      "CUSTOMERS_LISTED",
      { rows: 1, customerIds: [customerId] },
      { email: `${SECRET}@example.com` },
    ],
    ["GET", `/customers?email=no@example.com`, "listCustomers", "CUSTOMERS_LISTED", { rows: 0 }],
    ["GET", "/customers/export", "exportCustomers", "CUSTOMERS_EXPORTED", { rows: 1 }],
    [
      "GET",
      `/groups/${groupId}/members`,
      "listGroupMembers",
      "CUSTOMERS_LISTED",
      { rows: 1, customerIds: [customerId], target: { type: "shopper_group", id: groupId } },
    ],
    ["GET", `/gdpr-requests/${requestId}`, "getGdprRequest", "GDPR_REQUEST_READ", {
      ...one,
      target: request,
    }],
    [
      "GET",
      `/gdpr-requests/${requestId}/timeline`,
      "getGdprRequestTimeline",
      "GDPR_REQUEST_READ",
      { ...one, target: request },
    ],
    [
      "GET",
      "/gdpr-requests",
      "listGdprRequests",
      "GDPR_REQUESTS_LISTED",
      { rows: 1, customerIds: [customerId] },
    ],
  ];
  const callers: [Principal, object][] = [
    [manager, { id: manager.id, type: "STAFF", roles: ["STORE_MANAGER"] }],
    [world.system, { id: world.system.id, type: "SYSTEM", service: world.system.service }],
  ];
  for (const [method, path, operation, action, expected, body] of reads) {
    await t.step(`${operation} ${path.split("/").length}`, async () => {
      for (const [as, actor] of callers) {
        const events = await recordedBy(world, async () => {
          const { status } = await rest.call(method, path, { as, ...(body && { body }) });
          assert.equal(status, 200);
        });
        assert.equal(events.length, 1, path);
        const { eventId: _, storeId, occurredAt: __, traceId, ...payload } = events[0]!.payload;
        assert.deepEqual(payload, { action, actor, operation, ...expected });
        assert.equal(storeId, world.storeId);
        assert.match(traceId, /^[0-9a-f]{32}$/);
        assert.ok(!JSON.stringify(events).toLowerCase().includes(SECRET.toLowerCase()), "it quotes a value");
      }
    });
  }
});

Deno.test("an answer without data of customers is not recorded as an access", async () => {
  await using rest = await startRest();
  const { customerId, groupId } = await arrange(rest);
  const as = rest.staff(["STORE_MANAGER"]);
  const { headers } = await rest.call("GET", `/customers/${customerId}`, { as });
  const etag = headers.get("etag") ?? "";
  const events = await recordedBy(rest.world, async () => {
    const statuses = [
      await rest.call("GET", `/customers/${customerId}`, { as, headers: { "if-none-match": etag } }),
      await rest.call("GET", `/customers/${crypto.randomUUID()}`, { as }),
      await rest.call("GET", "/groups", { as }),
      await rest.call("GET", `/groups/${groupId}`, { as }),
      await rest.call("GET", "/customers?limit=0", { as }),
    ].map(({ status }) => status);
    assert.deepEqual(statuses, [304, 404, 200, 200, 400]);
  });
  assert.deepEqual(actionsOf(events), []);
});

Deno.test("a change that changes nothing, or may be a repetition, is recorded as a read of its answer", async () => {
  await using rest = await startRest();
  const { customerId } = await arrange(rest);
  const { world } = rest;
  const as = rest.staff(["CUSTOMER_MANAGER"]);
  const patch = (body: object, headers = {}) => () =>
    rest.call("PATCH", `/customers/${customerId}`, { as, body, headers });
  assert.deepEqual(actionsOf(await recordedBy(world, patch({ firstName: "Mina" }))), ["CUSTOMER_UPDATED"]);
  assert.deepEqual(actionsOf(await recordedBy(world, patch({ firstName: "Mina" }))), ["CUSTOMER_READ"]);
  const key = { "idempotency-key": "a-repeated-change" };
  const first = await recordedBy(world, patch({ firstName: "Wilhelmina" }, key));
  assert.deepEqual(actionsOf(first), ["CUSTOMER_UPDATED", "CUSTOMER_READ"]);
  const again = await recordedBy(world, patch({ firstName: "Wilhelmina" }, key));
  assert.deepEqual(actionsOf(again), ["CUSTOMER_READ"]);
});

Deno.test("a bulk upsert is recorded before its results, which show which customers exist", async () => {
  await using rest = await startRest();
  await arrange(rest);
  const as = rest.staff(["CUSTOMER_MANAGER"]);
  const events = await recordedBy(rest.world, async () => {
    const { text } = await rest.call("POST", "/customers/bulk", {
      as,
      body: `${JSON.stringify({ email: `${SECRET}@example.com` })}\n`,
      headers: { "content-type": "application/x-ndjson" },
    });
    assert.match(text, /"UNCHANGED"/);
  });
  assert.deepEqual(actionsOf(events), ["CUSTOMERS_IMPORTED"]);
  assert.deepEqual(events[0]!.payload.operation, "upsertCustomers");
});

Deno.test("a read that cannot be recorded is refused as unavailable, and returns no value", async () => {
  await using rest = await startRest();
  const { customerId } = await arrange(rest);
  const as = rest.staff(["STORE_MANAGER"]);
  await rest.world.admin`revoke insert on outbox from customer_api`;
  const search = { body: { email: `${SECRET}@example.com` } };
  const calls: [string, string, object?][] = [
    ["GET", `/customers/${customerId}`],
    ["POST", "/customers/search", search],
    ["GET", "/customers/export"],
  ];
  for (const [method, path, options = {}] of calls) {
    const { status, text, headers } = await rest.call(method, path, { as, ...options });
    assert.equal(status, 503, path);
    assert.ok(!text.includes(SECRET), path);
    assert.equal(headers.get("etag"), null);
  }
});

Deno.test("refusals are recorded, at most two events per principal and minute, with their number", async () => {
  await using rest = await startRest();
  const { world } = rest;
  const [customerId, id] = [crypto.randomUUID(), crypto.randomUUID()];
  const as = { ...world.system, id, service: "cart-service" };
  const alone = await recordedBy(world, async () => {
    for (let times = 0; times < 5; times++) {
      assert.equal((await rest.call("GET", `/customers/${customerId}`, { as })).status, 403);
    }
  });
  assert.deepEqual(alone.map(({ payload }) => payload.refusals), [1], "the others are only counted");
  const [{ payload }] = alone as [Recorded];
  assert.deepEqual([payload.action, payload.operation], ["ACCESS_REFUSED", "getCustomer"]);
  assert.deepEqual(payload.target, { type: "customer", id: customerId });
  assert.deepEqual(payload.actor, { id, type: "SYSTEM", service: "cart-service" });
  const others = await recordedBy(world, async () => await rest.access.refusals[Symbol.asyncDispose]());
  assert.deepEqual(others.map(({ payload }) => [payload.action, payload.operation, payload.refusals]), [
    ["ACCESS_REFUSED", undefined, 4],
  ]);
});

Deno.test("a refused caller writes nothing else", async () => {
  await using rest = await startRest();
  const { customerId } = await arrange(rest);
  const as = { id: customerId, type: "CUSTOMER", storeId: rest.world.storeId, roles: [] } as const;
  const before = await countRows(rest.world);
  await rest.call("GET", `/customers/${customerId}`, { as });
  const after = await countRows(rest.world);
  assert.deepEqual(after, { outbox: before!.outbox + 1, journal: before!.journal });
});
