/** An erasure has one trace from its request to its completion, exported or not. */
import assert from "node:assert/strict";
import { openDevelopmentIssuer } from "../../auth/development_issuer.ts";
import { newTraceparent, traceIdOf } from "../../lib/trace_context.ts";
import { createWorld, register, shopper, type World } from "../actors/world.ts";
import { eventually } from "../eventually.ts";
import { startService, temporaryFolder } from "../service.ts";
import { type ReceivedSpan, startReceiver } from "./receiver.ts";

const SPAN = "b7ad6b7169203331";

Deno.test("an erasure is one trace, from the shopper's request to customer.erased, with every step under its cause", async () => {
  await using world = await createWorld();
  await using receiver = startReceiver();
  const traceId = traceIdOf(newTraceparent());
  const requestId = await erase(world, receiver.env, `00-${traceId}-${SPAN}-01`);

  const trace = receiver.spans().filter((span) => span.traceId === traceId);
  const path = (span: ReceivedSpan): string[] => {
    const above = trace.find(({ spanId }) => spanId === span.parentSpanId);
    return above ? [...path(above), span.name] : [span.parentSpanId, span.name];
  };
  const begun = [SPAN, "POST /graphql", "mutation", "gdpr_request open"];
  const timer = "timer xstate.after.UNTIL_START.gdpr_erasure@1.PENDING.grace";
  const delivered = [...begun, timer, "process customer.erasure_requested"];
  const method = "io.shopstar.customer.v1.CustomerService/ConfirmErasure";
  const confirmed = [...delivered, method, "gdpr_request participant.confirm"];
  const verified = [...confirmed, "effect erasure.verify", "gdpr_request verified"];
  const paths = trace.map((span) => path(span).join(" > "));
  for (
    const expected of [
      [...begun, "TRANSACTION"],
      [...begun, "publish audit.event"],
      [...begun, timer, "publish customer.erasure_requested"],
      [...confirmed, "TRANSACTION"],
      [...verified, "TRANSACTION"],
      [...verified, "publish customer.erased"],
    ]
  ) {
    assert.ok(paths.includes(expected.join(" > ")), `${expected.join(" > ")}\n\n${paths.join("\n")}`);
  }
  // The demonstration service repeats the delivery of a notice that failed, such as one that was replaced meanwhile.
  const steps = trace.filter(({ name }) => name !== "process gdpr.notice_due");
  assert.deepEqual(steps.filter(({ failed }) => failed), []);
  assert.equal(trace.filter(({ name }) => name === method).length, 3);

  const published = trace.find(({ name }) => name === "publish customer.erased");
  const batch = receiver.spans().find(({ spanId }) => spanId === published?.links[0]?.spanId);
  assert.equal(batch?.name, "publish outbox");
  assert.ok(batch.links.some(({ spanId }) => spanId === published?.parentSpanId));

  for (const { topic, payload, headers } of await eventsOf(world, requestId)) {
    assert.equal(payload.traceId, traceId, topic);
    const [, id, spanId] = headers.traceparent.split("-");
    assert.equal(id, traceId);
    assert.ok(trace.some((span) => span.spanId === spanId), `${topic} names a span of the trace`);
  }
});

Deno.test("without an exporter the trace ID is still propagated, also through timers, effects and confirmations", async () => {
  await using world = await createWorld();
  const traceId = traceIdOf(newTraceparent());
  const requestId = await erase(world, {}, `00-${traceId}-${SPAN}-01`);
  const events = await eventsOf(world, requestId);
  assert.deepEqual(new Set(events.map(({ payload }) => payload.traceId)), new Set([traceId]));
  const passedOn = `00-${traceId}-${SPAN}-01`;
  assert.deepEqual(new Set(events.map(({ headers }) => headers.traceparent)), new Set([passedOn]));
  assert.ok(events.some(({ topic }) => topic === "customer.erased"));
});

/** Runs a complete erasure in a separate service. Returns the request's ID after the service has exited. */
async function erase(world: World, env: Record<string, string>, traceparent: string): Promise<string> {
  const ref = await register(world);
  await using folder = await temporaryFolder();
  await using service = startService({ DATABASE_URL: world.database.url, DATA_DIR: folder.path, ...env });
  const url = (await service.ready()).match(/http:\S+graphql/)?.[0] ?? "";
  const issuer = await openDevelopmentIssuer(folder.path);
  const response = await fetch(url, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      authorization: `Bearer ${await issuer.sign({ principal: shopper(ref), service: undefined }, 60)}`,
      traceparent,
    },
    body: JSON.stringify({ query: "mutation Leave { requestErasure { request { id } } }" }),
  });
  const { data } = await response.json();
  await eventually(async () => {
    const waiting = await world.admin`select topic from outbox where published_at is null`;
    assert.deepEqual([...waiting], []);
    const events = await eventsOf(world, data.requestErasure.request.id);
    assert.ok(events.some(({ topic }) => topic === "customer.erased"));
  });
  assert.equal((await service.stop("SIGTERM")).code, 0);
  return data.requestErasure.request.id;
}

/** Events of a request, and later events of its customer. */
async function eventsOf({ admin }: World, requestId: string) {
  return await admin<{ topic: string; payload: { traceId: string }; headers: { traceparent: string } }[]>`
    select topic, payload, headers from outbox
    where key in (select customer_id::text from gdpr_requests where request_id = ${requestId})
      and created_at >= (select created_at from gdpr_requests where request_id = ${requestId})
    order by seq`;
}
