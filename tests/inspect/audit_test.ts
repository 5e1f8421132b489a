/** Audit of the inspector's pages. */
import assert from "node:assert/strict";
import { register, shopper } from "../actors/world.ts";
import { createRequestFixture } from "../gdpr/request_fixture.ts";
import { startInspector } from "./server.ts";

Deno.test("each page that shows a person or requests is recorded, with the viewer and without values", async (t) => {
  await using inspector = await startInspector();
  const { world, officer } = inspector;
  const customer = await register(world, { lastName: "Kvetchmann" });
  const request = await createRequestFixture(world).open(customer, "ERASURE");
  const reading = inspector.staff(["CUSTOMER_SUPPORT", "PRIVACY_OFFICER"]);
  const ofCustomer = { customerId: customer.id, rows: 1, target: { type: "customer", id: customer.id } };
  const ofRequest = { customerId: customer.id, rows: 1, target: { type: "gdpr_request", id: request.id } };
  const pages = [
    [
      `/inspect/customers/${customer.id}`,
      officer,
      "CUSTOMER_READ",
      "inspectCustomerWithoutValues",
      ofCustomer,
    ],
    [`/inspect/customers/${customer.id}`, reading, "CUSTOMER_READ", "inspectCustomer", ofCustomer],
    [`/inspect/requests/${request.id}`, officer, "GDPR_REQUEST_READ", "inspectRequest", ofRequest],
    [
      "/inspect",
      officer,
      "GDPR_REQUESTS_LISTED",
      "inspectRequests",
      { rows: 1, customerIds: [customer.id] },
    ],
    ["/inspect/retry", officer, "GDPR_REQUESTS_LISTED", "inspectRetries", { rows: 0 }],
  ] as const;
  for (const [path, as, action, operation, expected] of pages) {
    await t.step(operation, async () => {
      const before = await eventsOf(inspector);
      const response = await inspector.get(path, as);
      assert.equal(response.status, 200, await response.text());
      const events = (await eventsOf(inspector)).slice(before.length);
      assert.equal(events.length, 1);
      const { eventId: _, storeId, occurredAt: __, traceId: ___, ...payload } = events[0]!;
      const actor = { id: as.id, type: "STAFF", roles: as.roles };
      assert.deepEqual(payload, { action, actor, operation, ...expected });
      assert.equal(storeId, world.storeId);
      assert.ok(!JSON.stringify(events).includes("Kvetchmann"));
    });
  }
  await t.step("a page that cannot be recorded is not shown", async () => {
    await world.admin`revoke insert on outbox from customer_api`;
    const response = await inspector.get(`/inspect/customers/${customer.id}`, reading);
    assert.equal(response.status, 503);
    assert.ok(!(await response.text()).includes("Kvetchmann"));
  });
});

Deno.test("who may not use the inspector is recorded once a minute", async () => {
  await using inspector = await startInspector();
  const { world } = inspector;
  const customer = await register(world);
  const callers = [inspector.staff([]), shopper(customer), world.system];
  for (const as of callers) {
    for (let times = 0; times < 2; times++) {
      const response = await inspector.get("/inspect", as);
      assert.equal(response.status, 403);
      await response.body?.cancel();
    }
  }
  const refused = (await eventsOf(inspector)).filter(({ action }) => action === "ACCESS_REFUSED");
  assert.deepEqual(
    refused.map(({ actor, operation, refusals }) => [actor.id, operation, refusals]),
    callers.map(({ id }) => [id, "inspect", 1]),
  );
});

async function eventsOf({ world: { admin } }: Awaited<ReturnType<typeof startInspector>>) {
  // deno-lint-ignore no-explicit-any -- protobuf's JSON
  const rows = await admin<{ payload: any }[]>`
    select payload from outbox where payload ->> 'action' ~ '_(READ|LISTED|REFUSED)$' order by seq`;
  return rows.map(({ payload }) => payload);
}
