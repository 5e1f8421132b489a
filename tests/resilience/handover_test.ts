/** Handover of an effect from an ending replica to another one. */
import assert from "node:assert/strict";
import { CLAIM_MS } from "../../actors/runtime/claim.ts";
import type { ActorRef } from "../../actors/commands.ts";
import { createWorld, register, type World } from "../actors/world.ts";
import { eventually } from "../eventually.ts";
import { gatewayHeaders, portsOf, production, TRUSTING } from "../production.ts";
import { startPeer, type TestPeer } from "../rpc/peer.ts";
import { type RunningService, startService } from "../service.ts";

Deno.test("a replica that is terminated during an effect hands it over within seconds", async () => {
  const { tookMs, code } = await handOver("SIGTERM");
  assert.equal(code, 0);
  assert.ok(tookMs < 5_000, `${tookMs} ms`);
});

Deno.test("an effect of a killed replica is taken over when its claim expires", async () => {
  const { tookMs } = await handOver("SIGKILL");
  assert.ok(tookMs < CLAIM_MS + 5_000, `${tookMs} ms`);
});

/** Time from `signal` to the first replica until another replica calls the same participant. */
async function handOver(signal: Deno.Signal): Promise<{ tookMs: number; code: number | null }> {
  await using world = await createWorld();
  const called: number[] = [];
  await using peer = await startPeer(async (call, nth) => {
    called.push(Date.now());
    if (nth === 1) await call.canceled; // it never responds
  });
  const customer = await register(world);
  const env = environment(world, peer);
  await using first = startService(env);
  await requestPortability(first, customer);
  await eventually(() => assert.equal(called.length, 1));
  await using second = startService(env);
  await second.ready();

  const endedAt = Date.now();
  const { code } = await first.stop(signal);
  await eventually(() => assert.equal(called.length, 2), 2 * CLAIM_MS);
  await eventually(async () => {
    const [row] = await world.admin`select outcome from gdpr_requests`;
    assert.equal(row?.outcome, "FULFILLED");
  });
  return { tookMs: called[1]! - endedAt, code };
}

function environment(world: World, peer: TestPeer): Record<string, string> {
  return {
    ...production(world.database.url),
    ...TRUSTING,
    GDPR_PARTICIPANTS: "order-service",
    PEER_ORDER_SERVICE_URL: peer.url.href,
  };
}

async function requestPortability(service: RunningService, customer: ActorRef): Promise<void> {
  const { http } = await portsOf(service);
  const response = await fetch(`http://127.0.0.1:${http}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json", ...gatewayHeaders(customer) },
    body: JSON.stringify({ query: "mutation { requestPortability { request { id } } }" }),
  });
  assert.ok((await response.json()).data.requestPortability.request.id);
}
