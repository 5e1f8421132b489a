import assert from "node:assert/strict";
import { ATTACKS } from "./attacks/mod.ts";
import type { Latency, Result } from "./measure.ts";
import { header, missedAims, row } from "./table.ts";

const FINE: Latency = { asked: 100, failed: 0, p50: 5, p99: 20, failure: undefined };

const HARMLESS: Result = {
  name: "harmless",
  port: "grpc",
  token: undefined,
  sameAddress: false,
  lived: true,
  lastWords: undefined,
  cpuSeconds: 1,
  rss: { before: 200, peak: 220, after: 210 },
  innocent: {
    bystander: { ...FINE, p99: 10 },
    me: FINE,
    healthz: FINE,
    rest: FINE,
    groups: FINE,
    "fresh me": FINE,
    "fresh groups": FINE,
  },
  logLines: 0,
  attack: undefined,
};

function harming(question: keyof Result["innocent"], latency: Partial<Latency>): Result {
  return { ...HARMLESS, innocent: { ...HARMLESS.innocent, [question]: { ...FINE, ...latency } } };
}

Deno.test("an attack without effect misses no aim", () => {
  assert.deepEqual(missedAims(HARMLESS), []);
});

Deno.test("latency, failed probes, refused connections, memory, log lines and an exited process are missed aims", () => {
  assert.deepEqual(missedAims(harming("me", { p99: 111 })), ["me p99 111 ms"]);
  assert.deepEqual(missedAims(harming("groups", { failed: 5, p99: Infinity })), ["groups p99 Infinity ms"]);
  assert.deepEqual(missedAims(harming("fresh groups", { failed: 1 })), ["1 × fresh groups failed"]);
  assert.deepEqual(missedAims({ ...HARMLESS, rss: { before: 200, peak: 265, after: 200 } }), ["RSS +65 MB"]);
  assert.deepEqual(missedAims(harming("healthz", { failed: 2 })), ["2 × healthz failed"]);
  assert.deepEqual(missedAims({ ...HARMLESS, logLines: 101 }), ["101 log lines"]);
  assert.deepEqual(missedAims({ ...HARMLESS, lived: false }), ["the process ended"]);
});

Deno.test("latency that the bystander has too is not a missed aim", () => {
  const innocent = { ...harming("me", { p99: 300 }).innocent, bystander: { ...FINE, p99: 250 } };
  assert.deepEqual(missedAims({ ...HARMLESS, innocent }), []);
});

Deno.test("an attack with a token may slow others down but not end the process", () => {
  const slow = { ...harming("me", { p99: 111 }), token: "customer" };
  assert.deepEqual(missedAims(slow), []);
  assert.deepEqual(missedAims({ ...slow, lived: false }), ["the process ended"]);
});

Deno.test("new connections of the attacker's own address may be refused", () => {
  assert.deepEqual(missedAims({ ...harming("fresh groups", { failed: 1 }), sameAddress: true }), []);
});

Deno.test("a row has as many cells as the header", () => {
  const cells = (line: string) => line.split("|").length;
  assert.equal(cells(row(HARMLESS)), cells(header().split("\n")[0]!));
});

Deno.test("attacks have unique names", () => {
  assert.equal(new Set(ATTACKS.map(({ name }) => name)).size, ATTACKS.length);
});
