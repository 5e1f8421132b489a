/** Bounds of the audit of refusals. */
import assert from "node:assert/strict";
import type { Access } from "../../actors/audit_log.ts";
import { createRefusalLog, type RefusalLogOptions } from "../../actors/refusal_log.ts";
import type { Principal } from "../../domain/principal.ts";
import { captureLog } from "../captured_log.ts";
import { eventually } from "../eventually.ts";

function startLog(options: RefusalLogOptions = {}) {
  const recorded: Access[] = [];
  // deno-lint-ignore require-await -- the interface is asynchronous
  const log = createRefusalLog({ record: async (access) => void recorded.push(access) }, options);
  return {
    log,
    recorded,
    report: (by: Principal) => log.report({ by, operation: "getCustomer", traceparent: "00" }),
    counts: () => recorded.map(({ by, operation, refusals }) => [by.id, operation, refusals]),
  };
}

const staff = (id: string, storeId = "a"): Principal => ({ id, type: "STAFF", storeId, roles: [] });

Deno.test("each principal of each store has a first event of its own, and one for the others of its minute", async () => {
  const { log, report, counts } = startLog();
  for (let times = 0; times < 100; times++) await report(staff("one"));
  await report(staff("two"));
  await report(staff("one", "b"));
  await report({ ...staff("one"), type: "SYSTEM" });
  await report({ ...staff("one"), type: "SYSTEM", service: "cart-service" });
  assert.equal(counts().length, 5);
  await log[Symbol.asyncDispose]();
  assert.deepEqual(counts().slice(5), [["one", "", 99]]);
});

Deno.test("the end of the window reports the number, and the next refusal has an event again", async () => {
  const { log, report, counts } = startLog({ windowMs: 1 });
  await report(staff("one"));
  await report(staff("one"));
  await eventually(() => assert.deepEqual(counts(), [["one", "getCustomer", 1], ["one", "", 1]]));
  await report(staff("one"));
  assert.deepEqual(counts().at(-1), ["one", "getCustomer", 1]);
  await log[Symbol.asyncDispose]();
});

Deno.test("counts are kept for a limited number of principals, without losing a refusal", async () => {
  const { log, recorded, report } = startLog({ maxPrincipals: 3 });
  for (let id = 0; id < 50; id++) {
    await report(staff(`${id}`));
    await report(staff(`${id}`));
  }
  await log[Symbol.asyncDispose]();
  assert.equal(recorded.reduce((sum, { refusals = 0 }) => sum + refusals, 0), 100);
});

Deno.test("a refusal that cannot be recorded is an error in the log, and not one of the caller", async () => {
  await using captured = await captureLog();
  const log = createRefusalLog({ record: () => Promise.reject(new Error("the disk is full")) });
  await log.report({ by: staff("one"), operation: "getCustomer", traceparent: "00" });
  await log[Symbol.asyncDispose]();
  assert.match(captured.lines.join("\n"), /Cannot record/);
});
