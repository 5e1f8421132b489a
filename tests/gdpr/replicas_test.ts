/** Replicas that work the same requests side by side, as they run in production. */
import { newTraceparent } from "../../lib/trace_context.ts";
import assert from "node:assert/strict";
import { createRequestPerformers } from "../../actors/gdpr/mod.ts";
import type { ParticipantClient } from "../../actors/gdpr/types.ts";
import { createActors } from "../../actors/mod.ts";
import { startWorker } from "../../actors/runtime/worker.ts";
import { PARTICIPANTS } from "../actors/settings.ts";
import { register } from "../actors/world.ts";
import { eventually } from "../eventually.ts";
import { createClockedWorld } from "./clocked.ts";
import { assertFacts } from "./facts.ts";
import { createKeys } from "./keys.ts";
import { AWAITING, codeOf, openRequest, phaseNow, REFUSED } from "./meeting.ts";

Deno.test("two replicas that work the same requests complete each once", async () => {
  await using world = await createClockedWorld({ graceMs: 0 });
  const start = world.now;
  world.now = new Date(start.getTime() + 1_000);
  const keys = await createKeys();
  const asked: string[] = [];
  const peers: ParticipantClient = {
    async *collect(service, { requestId }) {
      asked.push(`${service} ${requestId}`);
      yield* [];
    },
  };
  const customers = await Promise.all(Array.from({ length: 12 }, () => register(world)));
  const requests = await Promise.all(
    customers.map((customer, at) => openRequest(world, customer, at < 8 ? "ERASURE" : "ACCESS")),
  );
  const both = [0, 1].map(() => {
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
      for (const request of erasures) assert.equal(await phaseNow(world, request), AWAITING);
    });
    // Each participant tells both replicas, as one does that has had no answer.
    const told = erasures.flatMap((request) =>
      PARTICIPANTS.flatMap((service) =>
        both.map(({ actors }) =>
          actors.send(request, { type: "participant.confirm", service }, {
            by: world.system,
            traceparent: newTraceparent(),
          })
        )
      )
    );
    const answers = await Promise.allSettled(told);
    assert.equal(answers.filter((answer) => answer.status === "fulfilled").length, 8 * 3);
    assert.ok(answers.every((answer) => [undefined, REFUSED].includes(codeOf(answer))));
    await eventually(async () => {
      for (const request of requests) assert.equal(await phaseNow(world, request), "COMPLETED");
    });
  } finally {
    await Promise.all(both.map(({ worker }) => worker[Symbol.asyncDispose]()));
  }
  for (const request of requests) await assertFacts(world.admin, request);
  assert.equal(asked.length, new Set(asked).size, "no source was asked twice");
  const receipts = await world.admin`select sequence from erasure_receipts order by sequence`;
  assert.deepEqual(receipts.map((row) => row.sequence), [1, 2, 3, 4, 5, 6, 7, 8]);
  const poisoned = await world.admin`select type, last_error from effects where state <> 'DONE'`;
  assert.deepEqual([...poisoned], []);
});
