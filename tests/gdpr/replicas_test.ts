/** Two replicas that process the same requests, as in production. */
import { newTraceparent } from "../../lib/trace_context.ts";
import assert from "node:assert/strict";
import { createRequestPerformers } from "../../actors/gdpr/mod.ts";
import type { ParticipantClient } from "../../actors/gdpr/types.ts";
import { createActors } from "../../actors/mod.ts";
import { startWorker } from "../../actors/runtime/worker.ts";
import { PARTICIPANTS } from "../actors/settings.ts";
import { register } from "../actors/world.ts";
import { eventually } from "../eventually.ts";
import { createManualClockWorld } from "./manual_clock.ts";
import { assertInvariants } from "./invariants.ts";
import { createKeys } from "./keys.ts";
import { AWAITING, errorCode, openRequest, readPhase, REFUSED } from "./race.ts";

Deno.test("two replicas that process the same requests complete each once", async () => {
  await using world = await createManualClockWorld({ graceMs: 0 });
  const start = world.now;
  world.now = new Date(start.getTime() + 1_000);
  const keys = await createKeys();
  const calls: string[] = [];
  const peers: ParticipantClient = {
    async *collect(service, { requestId }) {
      calls.push(`${service} ${requestId}`);
      yield* [];
    },
  };
  const customers = await Promise.all(Array.from({ length: 12 }, () => register(world)));
  const requests = await Promise.all(
    customers.map((customer, at) => openRequest(world, customer, at < 8 ? "ERASURE" : "ACCESS")),
  );
  const replicas = [0, 1].map(() => {
    const api = world.database.pool("customer_api");
    const actors = createActors(api, { requests: world.settings, clock: world.clock });
    const performers = {
      ...createRequestPerformers(api, peers, keys),
      "memberships.end": () => Promise.reject(new Error("there is no group")),
    };
    const sql = world.database.pool("customer_worker");
    return { actors, worker: startWorker({ sql, api, actors, performers, clock: world.clock, pollMs: 20 }) };
  });
  try {
    const erasures = requests.slice(0, 8);
    await eventually(async () => {
      for (const request of erasures) assert.equal(await readPhase(world, request), AWAITING);
    });
    // Each participant confirms at both replicas, like a client that retries after a timeout.
    const confirmations = erasures.flatMap((request) =>
      PARTICIPANTS.flatMap((service) =>
        replicas.map(({ actors }) =>
          actors.send(request, { type: "participant.confirm", service }, {
            by: world.system,
            traceparent: newTraceparent(),
          })
        )
      )
    );
    const results = await Promise.allSettled(confirmations);
    assert.equal(results.filter((result) => result.status === "fulfilled").length, 8 * 3);
    assert.ok(results.every((result) => [undefined, REFUSED].includes(errorCode(result))));
    await eventually(async () => {
      for (const request of requests) assert.match(await readPhase(world, request), /^COMPLETED/);
    });
  } finally {
    await Promise.all(replicas.map(({ worker }) => worker[Symbol.asyncDispose]()));
  }
  for (const request of requests) await assertInvariants(world.admin, request);
  assert.equal(calls.length, new Set(calls).size, "no participant was called twice");
  const receipts = await world.admin`select sequence from erasure_receipts order by sequence`;
  assert.deepEqual(receipts.map((row) => row.sequence), [1, 2, 3, 4, 5, 6, 7, 8]);
  const poisoned = await world.admin`select type, last_error from effects where state <> 'DONE'`;
  assert.deepEqual([...poisoned], []);
});
