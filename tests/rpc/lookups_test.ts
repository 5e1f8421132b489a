/** GetCustomerGroups and GetCustomerSnapshot, called over a socket by an independent client. */
import assert from "node:assert/strict";
import { createGroup, createWorld, register, tell } from "../actors/world.ts";
import { createDatabase } from "../database.ts";
import { arrangeAddress, arrangeCustomer, type Group } from "./arrange.ts";
import { asked } from "./client.ts";
import { serveLookups } from "./serve.ts";

const EARLY = new Date("2026-01-01T00:00:00.001Z");
const LATE = new Date("2026-01-01T00:00:00.002Z");

Deno.test("groups come in resolution order, with the price list and why it won", async (t) => {
  await using db = await createDatabase();
  await using server = await serveLookups(db);
  const [low, high] = [crypto.randomUUID(), crypto.randomUUID()].sort() as [string, string];
  const cases: { why: string; groups: Group[]; order: number[] }[] = [
    { why: "NO_GROUP", groups: [], order: [] },
    { why: "ONLY_GROUP", groups: [{ priority: -3 }], order: [0] },
    {
      why: "HIGHEST_PRIORITY",
      groups: [{ priority: 1, assignedAt: EARLY }, { priority: 7, assignedAt: LATE }, { priority: 3 }],
      order: [1, 2, 0],
    },
    {
      why: "HIGHEST_PRIORITY",
      groups: [{ priority: -1 }, { priority: 2_147_483_647, assignedAt: LATE }],
      order: [1, 0],
    },
    {
      why: "EARLIEST_ASSIGNED",
      groups: [{ priority: 5, assignedAt: LATE }, { priority: 5, assignedAt: EARLY }, { priority: 1 }],
      order: [1, 0, 2],
    },
    {
      why: "LOWEST_GROUP_ID",
      groups: [{ groupId: high, assignedAt: EARLY }, { groupId: low, assignedAt: EARLY }],
      order: [1, 0],
    },
    {
      why: "ONLY_GROUP",
      groups: [{ priority: 9, deleted: true }, { priority: 1 }, { priority: 5, deleted: true }],
      order: [1],
    },
    { why: "NO_GROUP", groups: [{ priority: 9, deleted: true }], order: [] },
  ];
  for (const { why, groups, order } of cases) {
    await t.step(`${why} among ${groups.length}`, async () => {
      const customer = await arrangeCustomer(db.admin, { groups });
      const { status, response } = await server.client.groups(asked(customer));
      assert.equal(status, "OK");
      const expected = order.map((at) => customer.groups[at]!);
      assert.deepEqual(
        response.memberships,
        expected.map(({ groupId, name, priceListId, priority, assignedAt }) => ({
          group_id: groupId,
          name,
          price_list_id: priceListId,
          priority,
          assigned_at: {
            seconds: Math.floor(assignedAt.getTime() / 1000),
            nanos: assignedAt.getMilliseconds() * 1_000_000,
          },
        })),
      );
      assert.equal(response.price_list_id, expected[0]?.priceListId);
      assert.equal(response.price_list_reason, `PRICE_LIST_REASON_${why}`);
    });
  }
});

Deno.test("a snapshot contains the customer and both default addresses", async () => {
  await using db = await createDatabase();
  await using server = await serveLookups(db);
  const customer = await arrangeCustomer(db.admin);
  await arrangeAddress(db.admin, customer, { line1: "Nebenweg 3" });
  const shipping = await arrangeAddress(db.admin, customer, {
    line1: "Am Hafen 1",
    line2: "2. Stock",
    shipping: true,
  });
  const billing = await arrangeAddress(db.admin, customer, { line1: "Postfach 7", billing: true });
  const { response } = await server.client.snapshot(asked(customer));
  const place = { city: "Zürich", country: "CH", postal_code: "8001", _postal_code: "postal_code" };
  assert.deepEqual(plain(response), {
    customer_id: customer.customerId,
    first_name: "Ada",
    _first_name: "first_name",
    last_name: "Loveless",
    _last_name: "last_name",
    email: customer.email,
    locale: "de-CH",
    _locale: "locale",
    default_shipping_address: {
      address_id: shipping,
      line1: "Am Hafen 1",
      line2: "2. Stock",
      _line2: "line2",
      ...place,
    },
    default_billing_address: { address_id: billing, line1: "Postfach 7", ...place },
    status: "CUSTOMER_STATUS_ACTIVE",
    version: 1,
  });
});

Deno.test("a snapshot leaves out missing values", async () => {
  await using db = await createDatabase();
  await using server = await serveLookups(db);
  const customer = await arrangeCustomer(db.admin);
  await db.admin`update customers set first_name = null, last_name = null, locale = null`;
  const { response } = await server.client.snapshot(asked(customer));
  assert.deepEqual(plain(response), {
    customer_id: customer.customerId,
    email: customer.email,
    default_shipping_address: null,
    default_billing_address: null,
    status: "CUSTOMER_STATUS_ACTIVE",
    version: 1,
  });
});

Deno.test("both lookups return the status with and without groups, and the snapshot the version", async () => {
  await using world = await createWorld();
  await using server = await serveLookups(world.database);
  const [alone, member] = [await register(world), await register(world)];
  await tell(world, member, "group.assign", { groupId: (await createGroup(world)).id });
  const commands = ["suspend", "reinstate", "close", "reinstate"];
  const statuses = ["ACTIVE", "SUSPENDED", "ACTIVE", "CLOSED", "ACTIVE"];
  for (const customer of [alone, member]) {
    const key = asked({ storeId: world.storeId, customerId: customer.id });
    for (const [at, expected] of statuses.entries()) {
      if (at > 0) await tell(world, customer, `account.${commands[at - 1]}`);
      const [groups, snapshot] = [await server.client.groups(key), await server.client.snapshot(key)];
      assert.equal(groups.response.status, `CUSTOMER_STATUS_${expected}`);
      assert.equal(groups.response.memberships.length, customer === member ? 1 : 0);
      assert.equal(snapshot.response.status, `CUSTOMER_STATUS_${expected}`);
      const [row] = await world.admin`select version from customers where customer_id = ${customer.id}`;
      assert.equal(snapshot.response.version, row?.version);
    }
  }
});

Deno.test("one address can be both defaults", async () => {
  await using db = await createDatabase();
  await using server = await serveLookups(db);
  const customer = await arrangeCustomer(db.admin);
  await arrangeAddress(db.admin, customer, { line1: "Am Hafen 1", shipping: true, billing: true });
  const { response } = await server.client.snapshot(asked(customer));
  assert.equal(response.default_shipping_address.line1, "Am Hafen 1");
  assert.deepEqual(response.default_shipping_address, response.default_billing_address);
});

for (const method of ["GetCustomerGroups", "GetCustomerSnapshot"]) {
  Deno.test(`${method} finds no customer of another store, and no unknown one`, async () => {
    await using db = await createDatabase();
    await using server = await serveLookups(db);
    const [here, there] = [await arrangeCustomer(db.admin), await arrangeCustomer(db.admin)];
    for (
      const { storeId, customerId } of [{ ...here, storeId: there.storeId }, {
        ...here,
        customerId: crypto.randomUUID(),
      }]
    ) {
      const { status, details } = await server.client.call(method, asked({ storeId, customerId }));
      assert.equal(status, "NOT_FOUND");
      assert.equal(details, `Cannot find customer ${customerId}: store ${storeId} has none of this id`);
    }
  });

  Deno.test(`${method} refuses an anonymized customer rather than return an empty one`, async () => {
    await using db = await createDatabase();
    await using server = await serveLookups(db);
    const customer = await arrangeCustomer(db.admin, { anonymized: true, groups: [{}] });
    const { status, details } = await server.client.call(method, asked(customer));
    assert.equal(status, "FAILED_PRECONDITION");
    assert.equal(details, `Cannot look up customer ${customer.customerId}: it has been erased`);
  });

  Deno.test(`${method} accepts IDs in capital letters`, async () => {
    await using db = await createDatabase();
    await using server = await serveLookups(db);
    const { storeId, customerId } = await arrangeCustomer(db.admin);
    const shouted = { storeId: storeId.toUpperCase(), customerId: customerId.toUpperCase() };
    assert.equal((await server.client.call(method, asked(shouted))).status, "OK");
  });
}

/** Converts a message of proto-loader into plain objects. */
function plain(message: unknown): unknown {
  return JSON.parse(JSON.stringify(message));
}
