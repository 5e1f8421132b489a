import assert from "node:assert/strict";
import { pause, succeedsWithin, withTimeout } from "../../lib/timeout.ts";

const HOUR_MS = 3_600_000;

Deno.test("withTimeout returns the result, throws the error, or calls onTimeout", async () => {
  const refuse = () => {
    throw new Error("too late");
  };
  assert.equal(await withTimeout(Promise.resolve(1), HOUR_MS, refuse), 1);
  assert.equal(await withTimeout(Promise.resolve(undefined), HOUR_MS, refuse), undefined);
  await assert.rejects(withTimeout(Promise.reject(new Error("failed")), HOUR_MS, refuse), /^Error: failed$/);
  const { promise, reject } = Promise.withResolvers<number>();
  await assert.rejects(withTimeout(promise, 0, refuse), /^Error: too late$/);
  assert.equal(await withTimeout(promise, 0, () => "instead"), "instead");
  reject(new Error("a failure after the time is up is ignored"));
  await Promise.resolve();
});

Deno.test("succeedsWithin returns whether work completes in time, and throws its error", async () => {
  assert.equal(await succeedsWithin(Promise.resolve(), HOUR_MS), true);
  assert.equal(await succeedsWithin(new Promise(() => {}), 0), false);
  await assert.rejects(succeedsWithin(Promise.reject(new Error("failed")), HOUR_MS), /failed/);
});

Deno.test("a pause ends after its time or with its signal, and leaves no timer or listener", async () => {
  await pause(0);
  const stopping = new AbortController();
  const waiting = pause(HOUR_MS, stopping.signal); // the test runner's sanitizer detects a remaining timer
  stopping.abort();
  await waiting;
  await pause(HOUR_MS, stopping.signal);
});
