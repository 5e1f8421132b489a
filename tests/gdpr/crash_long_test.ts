/** Crash safety of an export: its replicas are killed at every commit, also at the end of the wait for its download. */
import assert from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
import {
  assertCompletesOnce,
  contents,
  createCrashFixture,
  openFor,
  openRequest,
  readPhase,
  run,
} from "./crashes.ts";
import { assertInvariants } from "./invariants.ts";

Deno.test("ACCESS: killed before and after each commit, it completes once", () =>
  assertCompletesOnce("ACCESS"));

Deno.test("the end of a wait for a download, killed at each commit, destroys the documents once", async () => {
  await using fixture = await createCrashFixture();
  const access = await openRequest(fixture, "ACCESS");
  await run(fixture);
  assert.equal(await readPhase(fixture, access), "COMPLETED.available");
  const [{ customerId } = {}] = await fixture.world.admin`
    select customer_id from gdpr_requests where request_id = ${access.id}`;
  const erasure = await openFor(fixture, customerId, "ERASURE");
  await run(fixture);
  assert.equal(await readPhase(fixture, erasure), "PENDING.waiting_for_download");
  fixture.now += 7 * 24 * 60 * 60_000;
  let [kills, n] = [0, 1];
  while (await readPhase(fixture, erasure) !== "COMPLETED") {
    for (const at of ["commit", "committed"] as const) {
      const before = await contents(fixture);
      if (await run(fixture, { at, n }) === "ended") break;
      kills++;
      if (at === "committed") n = isDeepStrictEqual(await contents(fixture), before) ? n + 1 : 1;
      for (const request of [access, erasure]) await assertInvariants(fixture.world.admin, request);
    }
    assert.ok(kills < 100, "the request makes progress");
  }
  await run(fixture);
  assert.ok(kills >= 4, `${kills} kills`);
  assert.equal(await readPhase(fixture, access), "COMPLETED.not_fetched");
  const parts = await fixture.world.admin`select part from gdpr_export_parts`;
  assert.equal(parts.length, 0);
  for (const request of [access, erasure]) await assertInvariants(fixture.world.admin, request);
});
