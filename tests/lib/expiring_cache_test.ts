/** Cache with an expiry for each entry. */
import assert from "node:assert/strict";
import { ExpiringCache } from "../../lib/expiring_cache.ts";

Deno.test("an entry is returned until it expires, and the least used one makes room", () => {
  const cache = new ExpiringCache<string>(2);
  cache.set("a", "1", 60_000);
  cache.set("b", "2", 60_000);
  assert.equal(cache.get("a"), "1");
  cache.set("c", "3", 60_000);
  assert.deepEqual(["a", "b", "c"].map((key) => cache.get(key)), ["1", undefined, "3"]);
  cache.set("a", "4", 0);
  assert.equal(cache.get("a"), undefined);
  const until = performance.now() + 1;
  cache.set("c", "5", 1);
  while (performance.now() < until + 1) { /* the clock is all that it depends on */ }
  assert.equal(cache.get("c"), undefined);
});

Deno.test("an access reads the clock at most once, and the cache keeps no timer", () => {
  const cache = new ExpiringCache<string>(10);
  cache.set("a", "1", 60_000);
  const { now } = performance;
  let readings = 0;
  performance.now = () => (readings++, now.call(performance));
  try {
    for (let turn = 0; turn < 100; turn++) assert.equal(cache.get("a"), "1");
  } finally {
    performance.now = now;
  }
  assert.ok(readings <= 100, `${readings} readings for 100 accesses`); // a timer would fail this test as a leak
});
