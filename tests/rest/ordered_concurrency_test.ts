/** Concurrent map in order: results, items with a shared key, and facts that an earlier item may have changed. */
import assert from "node:assert/strict";
import { mapInOrder } from "../../rest/ordered_concurrency.ts";

Deno.test("facts are outdated if an item with the same key was in progress while they were read", async () => {
  const [slow, read] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const seen: [item: string, facts: string | undefined][] = [];
  const results = mapInOrder(
    (async function* () {
      yield ["a", "b", "c"];
    })(),
    {
      async prepare(item: string) {
        // The facts of b are read before a has been processed, and its turn comes afterwards.
        if (item === "b") {
          read.resolve();
          await slow.promise;
        }
        return { keys: [item === "c" ? "other" : "shared"], facts: `facts of ${item}` };
      },
      async work(item: string, facts: string | undefined) {
        seen.push([item, facts]);
        if (item === "a") {
          await read.promise;
          queueMicrotask(() => setTimeout(slow.resolve, 0));
        }
        return item.toUpperCase();
      },
    },
    () => 6,
  );
  assert.deepEqual((await Array.fromAsync(results)).flat(), ["A", "B", "C"]);
  assert.deepEqual(seen, [["a", "facts of a"], ["b", undefined], ["c", "facts of c"]]);
});

Deno.test("results keep the order of the items, and items with a shared key run one after another", async () => {
  const running = new Set<string>();
  const items = Array.from({ length: 300 }, (_, index) => index);
  const results = mapInOrder(
    (async function* () {
      for (let at = 0; at < items.length; at += 70) yield items.slice(at, at + 70);
    })(),
    {
      prepare: (item) => Promise.resolve({ keys: [`key ${item % 7}`], facts: item }),
      async work(item) {
        const key = `key ${item % 7}`;
        assert.ok(!running.has(key), key);
        running.add(key);
        for (let turns = item % 5; turns > 0; turns--) await Promise.resolve();
        running.delete(key);
        return item;
      },
    },
    () => 40,
  );
  assert.deepEqual((await Array.fromAsync(results)).flat(), items);
});
