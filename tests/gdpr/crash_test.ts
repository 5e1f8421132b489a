/**
 * Crash safety of an erasure: it completes exactly once although its replicas are killed at every commit.
 * crash_long_test.ts kills those of an export.
 */
import assert from "node:assert/strict";
import {
  assertCompletedOnce,
  assertCompletesOnce,
  contents,
  createCrashFixture,
  openRequest,
  readPhase,
  run,
} from "./crashes.ts";
import { assertInvariants } from "./invariants.ts";

Deno.test("ERASURE: killed before and after each commit, it completes once", () =>
  assertCompletesOnce("ERASURE"));

Deno.test("an erasing transaction that is killed before any of its statements changes nothing", async () => {
  await using fixture = await createCrashFixture();
  const request = await openRequest(fixture, "ERASURE");
  const before = await contents(fixture);
  let statement = 2;
  for (;; statement += 6) {
    const end = await run(fixture, { at: "statement", n: statement });
    if (end === "ended" || (await readPhase(fixture, request)) !== "PENDING.grace") break;
    assert.deepEqual(await contents(fixture), before, `killed before statement ${statement}`);
    await assertInvariants(fixture.world.admin, request);
  }
  assert.ok(statement > 40, `only ${statement} statements`);
  await run(fixture);
  await assertCompletedOnce(fixture, request, "ERASURE");
});
