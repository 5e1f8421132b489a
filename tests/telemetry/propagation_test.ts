/** Trace propagation: in events, in calls to participants, in stored timers and effects. */
import assert from "node:assert/strict";
import { claimEffects } from "../../db/effects.ts";
import { enterStore } from "../../db/connect.ts";
import type { OutboxRow } from "../../db/outbox.ts";
import { encodeRows } from "../../events/encode.ts";
import { createPeers } from "../../rpc/peers.ts";
import { newTraceparent, traceIdOf } from "../../lib/trace_context.ts";
import { createWorld, register, tell } from "../actors/world.ts";
import { createRequestFixture } from "../gdpr/request_fixture.ts";
import { startPeer } from "../rpc/peer.ts";

Deno.test("an event contains the trace that caused it, in its Kafka headers and in its payload", async () => {
  await using world = await createWorld();
  const ref = await register(world);
  const traceparent = newTraceparent();
  const traceId = traceIdOf(traceparent);
  await tell(world, ref, "profile.update", { firstName: "Ada" }, { traceparent });
  const rows = await world.database.pool("customer_api").begin(async (tx) => {
    await enterStore(tx, world.storeId);
    return await tx<OutboxRow[]>`select * from outbox where payload ->> 'traceId' = ${traceId}`;
  });
  const { events } = encodeRows(rows, { format: "json", source: "/test" });
  assert.deepEqual(events.map(({ topic }) => topic).sort(), ["audit.event", "customer.updated"]);
  for (const { headers } of events) assert.equal(headers.traceparent, traceparent);
});

Deno.test("a call to a participant contains the trace context", async () => {
  const traceparents: string[] = [];
  await using participant = await startPeer(({ metadata }) => {
    traceparents.push(...metadata.getAll("traceparent"));
  });
  await using peers = createPeers(new Map([["order-service", participant.url]]));
  const traceparent = newTraceparent();
  const ids = {
    customerId: crypto.randomUUID(),
    storeId: crypto.randomUUID(),
    requestId: crypto.randomUUID(),
  };
  const request = { ...ids, resumeAfter: undefined, emailHashes: [], traceparent };
  await Array.fromAsync(peers.collect("order-service", request, new AbortController().signal));
  assert.deepEqual(traceparents, [traceparent]);
});

Deno.test("rows without a traceparent continue the stored trace ID, or begin a new trace", async () => {
  await using world = await createWorld();
  const shop = createRequestFixture(world, { "source.collect": () => Promise.resolve("done") });
  const request = await shop.open(await register(world), "ACCESS");
  const [opened] = await world.admin`
    select payload ->> 'traceId' as trace_id from outbox where payload -> 'target' ->> 'id' = ${request.id}`;
  await world.admin`update timers set traceparent = null, due_at = now()`;
  await shop.work();
  const traces = await world.admin`select distinct trace_id from effects where actor_id = ${request.id}`;
  assert.equal(traces.length, 1);
  assert.match(traces[0]?.traceId, /^[0-9a-f]{32}$/);
  assert.notEqual(traces[0]?.traceId, opened?.traceId);

  await world.admin`update effects set traceparent = null, state = 'PENDING'`;
  const worker = world.database.pool("customer_worker");
  const [effect] = await claimEffects(worker, {
    now: new Date(Date.now() + 60_000),
    claimedUntil: new Date(),
    limit: 1,
  });
  assert.match(effect?.traceparent ?? "", new RegExp(`^00-${traces[0]?.traceId}-(?!0{16})[0-9a-f]{16}-00$`));
});
