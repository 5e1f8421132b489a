/** Concurrent map that yields results in the order of the items and serializes items that share a key. */

export interface Work<Item, Result> {
  /** Returns the keys of an item. Items that share a key are processed one after another. Never rejects. */
  keysOf(item: Item): Promise<readonly string[]>;
  /** Processes an item. Never rejects. */
  work(item: Item): Promise<Result>;
}

/** @param concurrency maximum number of items that are in progress, or processed and not yet yielded */
export async function* mapInOrder<Item, Result>(
  items: Iterable<Item>,
  { keysOf, work }: Work<Item, Result>,
  concurrency: number,
): AsyncGenerator<Result> {
  const last = new Map<string, Promise<unknown>>();
  let queued = Promise.resolve();

  /** Looks up keys concurrently, and queues the items in their order. */
  function start(item: Item): Promise<Result> {
    const result = Promise.withResolvers<Result>();
    queued = Promise.all([keysOf(item), queued]).then(([keys]) => {
      const previous = keys.map((key) => last.get(key));
      for (const key of keys) last.set(key, result.promise);
      Promise.all(previous).then(() => result.resolve(work(item)));
    });
    return result.promise;
  }

  const results: Promise<Result>[] = [];
  for (const item of items) {
    results.push(start(item));
    if (results.length === concurrency) yield await results.shift()!;
  }
  for (const result of results) yield await result;
}
