/** All metrics of the table are exported, with the values in the database. */
import assert from "node:assert/strict";
import { countWork } from "../../db/work_counts.ts";
import { INSTRUMENTS } from "../../telemetry/metrics.ts";
import { createWorld, register, tell } from "../actors/world.ts";
import { eventually } from "../eventually.ts";
import { createRequestFixture } from "../gdpr/request_fixture.ts";
import { gatewayHeaders, MESH, portsOf, production, TRUSTING } from "../production.ts";
import { asked, connect } from "../rpc/client.ts";
import { startService } from "../service.ts";
import { DENO_METRICS, parseExpression, readAlerts, readDashboard, translated } from "./prometheus.ts";
import { type ReceivedPoint, startReceiver } from "./receiver.ts";

/** Not exported, because this test has no broker. */
const OF_BROKER = ["customer_service.outbox.published", "customer_service.erasure_memory.missing"];
/** Participants at a port on which nothing listens. */
const PARTICIPANTS = Object.fromEntries(
  ["ORDER", "PAYMENT", "COMMUNICATION"].map((name) => [`PEER_${name}_SERVICE_URL`, "http://127.0.0.1:1"]),
);

Deno.test("every metric of the table is exported with its current value", async () => {
  await using world = await createWorld();
  const shop = createRequestFixture(world);
  const [ref, other] = [await register(world), await register(world)];
  const heldRequest = await shop.open(other, "ERASURE");
  await shop.tell(heldRequest, "hold", { ground: "LEGAL_CLAIM", reason: "a court has asked" });
  await world
    .admin`update gdpr_requests set due_at = now() - interval '1 day' where request_id = ${heldRequest.id}`;
  await shop.open(other, "ACCESS"); // calls the participants
  await using receiver = startReceiver();
  await using service = startService({
    ...production(world.database.url),
    DATABASE_READ_URL: world.database.url,
    GDPR_GRACE: "0s", // the erasure over GraphQL begins at once, whenever the gauge is read
    ...PARTICIPANTS,
    ...TRUSTING,
    ...receiver.env,
    OTEL_METRIC_EXPORT_INTERVAL: "5000",
  });
  const ports = await portsOf(service);
  await fetch(`http://127.0.0.1:${ports.http}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json", ...gatewayHeaders(ref) },
    body: JSON.stringify({ query: `mutation { requestErasure { request { id } } }` }),
  }).then((response) => response.body?.cancel());
  using client = connect(ports.grpc);
  const key = asked({ storeId: world.storeId, customerId: ref.id });
  assert.equal((await client.groups(key, { metadata: MESH })).status, "OK");

  await eventually(() => {
    const missing = Object.keys({ ...INSTRUMENTS, ...DENO_METRICS }).filter((name) =>
      !receiver.metrics().has(name)
    );
    assert.deepEqual(missing.sort(), OF_BROKER.toSorted());
  }, 60_000);
  const metrics = receiver.metrics();
  const attributes = [...metrics.values()].flat().flatMap((point) => Object.keys(point.attributes));
  const labels = new Set([...attributes, "messaging.destination.name"].map(translated));
  const labelsInUse = [
    ...(await readDashboard()).panels.flatMap(({ targets = [] }) => targets),
    ...await readAlerts(),
  ]
    .flatMap((of) => parseExpression("expr" in of ? of.expr : of.expression).labels);
  const unknown = labelsInUse.filter((label) =>
    !labels.has(label) && !["le", "job", "instance"].includes(label)
  );
  assert.deepEqual(unknown, [], "labels that the dashboard and the alerts use");
  const value = (name: string, attributes: Record<string, unknown> = {}) =>
    find(receiver.metrics().get(name), attributes);
  const type = "customer_service.gdpr.type";
  assert.equal(value("customer_service.gdpr.requests.held"), 1);
  assert.equal(value("customer_service.gdpr.requests.overdue", { [type]: "ERASURE" }), 1);
  assert.equal(value("customer_service.gdpr.requests.overdue", { [type]: "ACCESS" }), 0);
  const status = "customer_service.gdpr.status";
  // A count may have been exported before the other erasure began.
  await eventually(
    () =>
      assert.equal(value("customer_service.gdpr.requests", { [type]: "ERASURE", [status]: "PENDING" }), 1),
    60_000,
  );
  assert.equal(value("db.client.connection.max", { "db.client.connection.pool.name": "customer_reader" }), 4);
  const audit = { "messaging.destination.name": "audit.event" };
  assert.ok((value("customer_service.outbox.backlog", audit) ?? 0) > 1);
  assert.equal(
    value("customer_service.command.duration", {
      "customer_service.actor.kind": "gdpr_request",
      "customer_service.command.type": "open",
      "customer_service.outcome": "OK",
    }),
    1,
  );
  assert.equal(value("customer_service.http.request.duration", { "http.route": "/graphql" }), 1);
  assert.equal(value("rpc.server.call.duration", { "rpc.response.status_code": "OK" }), 1);
});

Deno.test("the worker role can count backlogs and requests of every store, but not read a request", async () => {
  await using world = await createWorld();
  const shop = createRequestFixture(world);
  const worker = world.database.pool("customer_worker");
  const empty = await countWork(worker);
  assert.deepEqual(empty, {
    outbox: [],
    effects: { due: 0, poisoned: 0, failing: 0 },
    timers: { due: 0, oldestAge: 0, failing: 0 },
    requests: [],
    notices: [],
    holds: [],
    participants: [],
  });

  const ref = await register(world);
  const request = await shop.open(ref, "ERASURE");
  await world.admin`update outbox set created_at = now() - interval '1 hour'`;
  await world.admin`update timers set due_at = now() - interval '2 hours' where name like '%UNTIL_START%'`;
  const waiting = await countWork(worker);
  const backlogs = waiting.outbox.map(({ topic, backlog }) => [topic, backlog]);
  assert.deepEqual(backlogs, [["audit.event", 2], ["customer.created", 1], ["gdpr.notice_due", 1]]);
  assert.deepEqual(waiting.notices, [
    { kind: "RECEIVED", due: 1, overdue: 0, expired: 0, undeliverable: 0 },
  ]);
  for (const { oldestAge } of waiting.outbox) assert.ok(Math.abs(oldestAge - 3_600) < 60);
  assert.equal(waiting.timers.due, 1);
  assert.ok(Math.abs(waiting.timers.oldestAge - 7_200) < 60);
  const none = { held: 0, proposed: 0, waitingForDownload: 0, residue: 0, atRisk: 0, overdue: 0 };
  const one = { type: "ERASURE", outcome: null, requests: 1, ...none };
  assert.deepEqual(waiting.requests, [{ ...one, status: "PENDING" }]);

  await shop.work();
  await world.admin`update gdpr_requests set snapshot = jsonb_set(snapshot, '{context,clock}', '"AT_RISK"')`;
  await world.admin`update gdpr_participants set state = 'OVERDUE' where service = 'order-service'`;
  await world.admin`update effects set state = 'POISONED'`;
  const begun = await countWork(worker);
  assert.deepEqual(begun.requests, [{ ...one, status: "IN_PROGRESS", atRisk: 1 }]);
  assert.equal(begun.participants.find(({ service }) => service === "order-service")?.overdue, 1);
  assert.equal(begun.participants.find(({ service }) => service === "payment-service")?.overdue, 0);
  await world
    .admin`update gdpr_requests set due_at = now() - interval '1 minute' where request_id = ${request.id}`;
  assert.deepEqual((await countWork(worker)).requests, [{ ...one, status: "IN_PROGRESS", overdue: 1 }]);

  await world.admin`
    update gdpr_requests set snapshot = jsonb_set(snapshot, '{value}', '{"IN_PROGRESS": "residue_found"}')`;
  assert.equal((await countWork(worker)).requests[0]?.residue, 1);

  const until = new Date(Date.now() + 86_400_000).toISOString();
  const held = await register(world);
  const place = (fields: object) => tell(world, held, "hold.place", { ground: "LEGAL_CLAIM", ...fields });
  const holds = [await place({}), await place({}), await place({ until }), await place({})];
  const [lifted, recent] = holds.map(({ ids }) => ids.holdId!) as [string, string];
  await tell(world, held, "hold.lift", { holdId: lifted });
  await world.admin`
    update customer_holds set placed_at = now() - interval '13 months' where hold_id <> ${recent}`;
  assert.deepEqual((await countWork(worker)).holds, [{ ground: "LEGAL_CLAIM", inEffect: 3, old: 1 }]);

  await assert.rejects(worker`select from gdpr_requests`, { code: "42501" });
  for (const role of ["customer_api", "customer_reader"] as const) {
    const pool = world.database.pool(role);
    await assert.rejects(pool`select count_gdpr_requests()`, { code: "42501" });
    await assert.rejects(pool`select count_overdue_participants()`, { code: "42501" });
    await assert.rejects(pool`select count_gdpr_notices()`, { code: "42501" });
    await assert.rejects(pool`select count_customer_holds()`, { code: "42501" });
  }
});

function find(points: ReceivedPoint[] = [], labels: Record<string, unknown>): number | undefined {
  return points.find(({ attributes }) =>
    Object.entries(labels).every(([name, value]) => attributes[name] === value)
  )?.value;
}
