/** Audit of refused gRPC calls, in the outbox of a real database. */
import assert from "node:assert/strict";
import { createAuditLog } from "../../actors/audit_log.ts";
import { createRefusalLog } from "../../actors/refusal_log.ts";
import { createAdmission } from "../../auth/callers.ts";
import type { PrincipalType } from "../../domain/principal.ts";
import { captureLog } from "../captured_log.ts";
import { createDatabase } from "../database.ts";
import { createIssuer } from "../graph/server.ts";
import { arrangeCustomer } from "./arrange.ts";
import { asked, callRaw, connect } from "./client.ts";
import { serveLookups } from "./serve.ts";

const CALLERS = {
  GetCustomerGroups: ["cart-service"],
  GetCustomerSnapshot: ["checkout-service"],
  ConfirmErasure: ["order-service", "payment-service"],
  GetNotice: [],
  ConfirmNotice: [],
};
const MESH = { mode: "mesh", trustDomain: "cluster.local", namespaces: ["shop"] } as const;
const spiffe = (service: string, namespace = "shop") =>
  `spiffe://cluster.local/ns/${namespace}/sa/${service}`;

Deno.test("refused calls of known callers are audited, at most twice a minute for each, and accepted calls are not", async () => {
  await using stack = new AsyncDisposableStack();
  await using captured = await captureLog();
  const db = stack.use(await createDatabase());
  const issuer = await createIssuer();
  const refusals = createRefusalLog(createAuditLog(db.pool("customer_api", 2)));
  const serve = (proof: typeof MESH | { mode: "token"; verifyToken: typeof issuer.verify }) =>
    serveLookups(db, { admit: createAdmission({ ...proof, callers: CALLERS }), refusals });
  const mesh = stack.use(await serve(MESH));
  const tokens = stack.use(await serve({ mode: "token", verifyToken: issuer.verify }));
  const customer = await arrangeCustomer(db.admin);
  const { storeId, customerId } = customer;
  const trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  const as = (uri: string, more: Record<string, string> = {}) => ({
    metadata: { "x-forwarded-client-cert": `URI=${uri}`, ...more },
  });
  const events = async () => {
    const rows = await db.admin<{ storeId: string; payload: Record<string, unknown> }[]>`
      select store_id, payload from outbox where topic = 'audit.event' order by seq`;
    return rows.map(({ storeId, payload: { action, operation = "", actor, target, refusals, traceId } }) => ({
      ...{ storeId, action, operation, target, refusals, traceId },
      actor: actor as { id: string; type: string; service?: string },
    }));
  };

  // Accepted calls, and errors that are no refusals, write nothing.
  assert.equal((await mesh.client.groups(asked(customer), as(spiffe("cart-service")))).status, "OK");
  const unknown = { ...customer, customerId: crypto.randomUUID() };
  assert.equal((await mesh.client.groups(asked(unknown), as(spiffe("cart-service")))).status, "NOT_FOUND");
  assert.equal((await mesh.client.groups(asked(customer))).status, "UNAUTHENTICATED");
  assert.deepEqual(await events(), []);

  // A service at another one's method, in many stores: one event in the store of the first call.
  const first = await mesh.client.snapshot(
    asked(customer),
    as(spiffe("cart-service"), { traceparent: trace }),
  );
  assert.equal(first.status, "PERMISSION_DENIED");
  for (let call = 0; call < 9; call++) {
    const other = { storeId: crypto.randomUUID(), customerId };
    const store: Record<string, string> = call % 2 ? { "x-store-id": crypto.randomUUID() } : {};
    await mesh.client.snapshot(asked(other), as(spiffe("cart-service"), store));
  }
  const [event, ...more] = await events();
  assert.deepEqual(more, []);
  assert.deepEqual(event, {
    storeId,
    action: "ACCESS_REFUSED",
    operation: "GetCustomerSnapshot",
    target: { type: "customer", id: customerId },
    refusals: 1,
    traceId: trace.split("-")[1],
    actor: { id: "00000000-0000-4000-8000-000000000000", type: "SYSTEM", service: "cart-service" },
  });

  // A proven name that counts for nothing here, a foreign store, a participant that confirms for another.
  const outsider = spiffe("cart-service", "attacker");
  assert.equal((await mesh.client.groups(asked(customer), as(outsider))).status, "UNAUTHENTICATED");
  const elsewhere = as(spiffe("checkout-service"), { "x-store-id": crypto.randomUUID() });
  assert.equal((await mesh.client.snapshot(asked(customer), elsewhere)).status, "PERMISSION_DENIED");
  const requestId = crypto.randomUUID();
  const confirmation = { store_id: storeId, request_id: requestId, service: "payment-service" };
  const forOther = await mesh.client.call("ConfirmErasure", confirmation, as(spiffe("order-service")));
  assert.equal(forOther.status, "PERMISSION_DENIED");
  assert.deepEqual(
    (await events()).slice(1).map(({ storeId, operation, target, actor }) => [
      ...[storeId, operation, target, actor.service],
    ]),
    [
      [storeId, "GetCustomerGroups", { type: "customer", id: customerId }, outsider],
      [
        elsewhere.metadata["x-store-id" as never],
        "GetCustomerSnapshot",
        { type: "customer", id: customerId },
        "checkout-service",
      ],
      [storeId, "ConfirmErasure", { type: "gdpr_request", id: requestId }, "order-service"],
    ],
  );

  // Tokens: a person, and a service in two stores, each in the store of the token, not in that of the call.
  const stores = [crypto.randomUUID(), crypto.randomUUID(), crypto.randomUUID()];
  const person = crypto.randomUUID();
  const call = async (type: PrincipalType, store: string, service?: string) => {
    const principal = { id: person, type, storeId: store, roles: [] };
    const authorization = `Bearer ${await issuer.sign({ principal, service }, 60)}`;
    return (await tokens.client.groups(asked(customer), { metadata: { authorization } })).status;
  };
  assert.equal(await call("STAFF", stores[0]!), "PERMISSION_DENIED");
  assert.equal(await call("SYSTEM", stores[1]!, "cart-service"), "PERMISSION_DENIED");
  assert.equal(await call("SYSTEM", stores[2]!, "cart-service"), "PERMISSION_DENIED");
  assert.deepEqual(
    (await events()).slice(4).map(({ storeId, actor }) => [storeId, actor.type, actor.id, actor.service]),
    [
      [stores[0], "STAFF", person, undefined],
      [stores[1], "SYSTEM", "00000000-0000-4000-8000-000000000000", "cart-service"],
      [stores[2], "SYSTEM", "00000000-0000-4000-8000-000000000000", "cart-service"],
    ],
  );

  // No store: the log says it, once a minute; neither it nor an event repeats what the caller sent.
  using raw = connect(mesh.port);
  for (let call = 0; call < 3; call++) {
    const malformed = { customer_id: "ada@example.com", store_id: "ada@example.com" };
    assert.equal(
      (await raw.snapshot(malformed, as(spiffe("marketing-service")))).status,
      "PERMISSION_DENIED",
    );
  }
  await callRaw(mesh.port, "GetCustomerSnapshot", new Uint8Array([0xff, 0xff]));
  const lines = captured.lines.filter((line) => line.includes("named no store"));
  assert.deepEqual([lines.length, lines[0]?.includes("marketing-service")], [1, true]);
  assert.doesNotMatch(captured.lines.join() + JSON.stringify(await events()), /ada@example/);

  // The end of the minute reports the others.
  const before = (await events()).length;
  await refusals[Symbol.asyncDispose]();
  assert.deepEqual(
    (await events()).slice(before).map(({ storeId, operation, refusals, actor }) => [
      ...[storeId, operation, refusals, actor.service],
    ]),
    [[storeId, "", 9, "cart-service"]],
  );
});
