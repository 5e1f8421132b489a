/** Price list of a customer, over REST and gRPC. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { register, tell } from "../actors/world.ts";
import { arrangeCustomer, type Group } from "../rpc/arrange.ts";
import { asked } from "../rpc/client.ts";
import { serveLookups } from "../rpc/serve.ts";
import { READERS, statusesFor } from "./callers.ts";
import { startRest } from "./server.ts";

const EARLY = new Date("2026-01-01T00:00:00.001Z");
const LATE = new Date("2026-01-01T00:00:00.002Z");

Deno.test("REST and gRPC return the same memberships, price list and reason for any groups", async () => {
  await using rest = await startRest();
  await using rpc = await serveLookups(rest.world.database);
  const { admin, storeId } = rest.world;
  const as = rest.staff(["CUSTOMER_SUPPORT"]);
  const group = fc.record({
    priority: fc.constantFrom(-1, 0, 5),
    assignedAt: fc.constantFrom(EARLY, LATE),
    deleted: fc.boolean(),
  });
  const seen = new Set<string>();
  await fc.assert(
    fc.asyncProperty(fc.array(group, { maxLength: 5 }), async (groups) => {
      const { customerId } = await arrangeCustomer(admin, { storeId, groups });
      const [{ body }, { response }] = await Promise.all([
        rest.call("GET", `/customers/${customerId}/price-list`, { as }),
        rpc.client.groups(asked({ storeId, customerId })),
      ]);
      assert.equal(`PRICE_LIST_REASON_${body.reason}`, response.price_list_reason);
      assert.equal(body.priceListId, response.price_list_id || null);
      assert.deepEqual(
        body.memberships,
        response.memberships.map((membership: Record<string, unknown>) => ({
          groupId: membership.group_id,
          name: membership.name,
          priceListId: membership.price_list_id,
          priority: membership.priority,
          assignedAt: timeOf(membership.assigned_at as Timestamp),
        })),
      );
      for (const { name, groupId } of body.memberships.slice(0, 1)) {
        assert.ok(body.explanation.startsWith(`${name} (${groupId}) decides`));
      }
      seen.add(body.reason);
    }),
    { numRuns: 100 },
  );
  assert.ok(seen.size >= 4, [...seen].join());
});

type Timestamp = { seconds: number; nanos: number };
const timeOf = ({ seconds, nanos }: Timestamp) => new Date(seconds * 1000 + nanos / 1e6).toISOString();

Deno.test("every reason has an explanation that names the groups", async () => {
  await using rest = await startRest();
  const { admin, storeId } = rest.world;
  const as = rest.staff(["CUSTOMER_SUPPORT"]);
  const [low = "", high = ""] = [crypto.randomUUID(), crypto.randomUUID()].sort();
  const gold = { name: "Gold", groupId: low, priority: 5, assignedAt: EARLY };
  const silver = { name: "Silver", groupId: high, priority: 5, assignedAt: EARLY };
  const [goldNamed, silverNamed] = [`Gold (${low})`, `Silver (${high})`];
  const cases: [string, Group[], string][] = [
    ["NO_GROUP", [], "The customer is in no group, so the store's own prices apply."],
    ["ONLY_GROUP", [gold], `${goldNamed} decides: it is the only group of the customer.`],
    [
      "HIGHEST_PRIORITY",
      [gold, { ...silver, priority: 7 }],
      `${silverNamed} decides: its priority 7 is higher than the 5 of ${goldNamed}.`,
    ],
    [
      "EARLIEST_ASSIGNED",
      [gold, { ...silver, assignedAt: LATE }],
      `${goldNamed} decides: it has the highest priority, 5, together with ${silverNamed}, and the customer ` +
      "has been in it since 2026-01-01T00:00:00.001Z, in the other group since 2026-01-01T00:00:00.002Z.",
    ],
    [
      "LOWEST_GROUP_ID",
      [silver, gold],
      `${goldNamed} decides: it has the highest priority, 5, together with ${silverNamed}, both since ` +
      "2026-01-01T00:00:00.001Z, and its ID is lower.",
    ],
  ];
  for (const [reason, groups, explanation] of cases) {
    const { customerId } = await arrangeCustomer(admin, { storeId, groups });
    const { status, body } = await rest.call("GET", `/customers/${customerId}/price-list`, { as });
    assert.deepEqual([status, body.reason, body.explanation], [200, reason, explanation]);
    await admin`delete from customer_group_memberships`;
    await admin`delete from shopper_groups`;
  }
});

Deno.test("both edges refuse the price list of an unknown or erased customer", async () => {
  await using rest = await startRest();
  await using rpc = await serveLookups(rest.world.database);
  const { storeId } = rest.world;
  const as = rest.staff(["CUSTOMER_SUPPORT"]);
  const statuses = async (customerId: string) => [
    (await rest.call("GET", `/customers/${customerId}/price-list`, { as })).status,
    (await rpc.client.groups(asked({ storeId, customerId }))).status,
  ];
  assert.deepEqual(await statuses(crypto.randomUUID()), [404, "NOT_FOUND"]);
  const ref = await register(rest.world);
  assert.deepEqual(await statuses(ref.id), [200, "OK"]);
  await tell(rest.world, ref, "erase", { requestId: crypto.randomUUID() });
  assert.deepEqual(await statuses(ref.id), [409, "FAILED_PRECONDITION"]);
  assert.deepEqual(await statuses("7"), [400, "INVALID_ARGUMENT"]);
});

Deno.test("only callers who may read customers may read the price list", async () => {
  await using rest = await startRest();
  const { id } = await register(rest.world);
  assert.deepEqual(
    await statusesFor(rest, id, (by) => rest.call("GET", `/customers/${id}/price-list`, by)),
    READERS(),
  );
});
