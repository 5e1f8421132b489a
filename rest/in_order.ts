/** Works on items side by side, and gives the results in the order of the items. */

export interface Work<Item, Result> {
  /** What must not be worked on twice at a time: items that share a key follow one another. Never fails. */
  keysOf(item: Item): Promise<readonly string[]>;
  /** Never fails. */
  work(item: Item): Promise<Result>;
}

/** @param width how many items are begun, or done and not asked for yet, at a time */
export async function* inOrder<Item, Result>(
  items: Iterable<Item>,
  { keysOf, work }: Work<Item, Result>,
  width: number,
): AsyncGenerator<Result> {
  const last = new Map<string, Promise<unknown>>();
  let lined = Promise.resolve();

  /** Keys are found side by side, but items line up behind one another in their order. */
  function begin(item: Item): Promise<Result> {
    const result = Promise.withResolvers<Result>();
    lined = Promise.all([keysOf(item), lined]).then(([keys]) => {
      const before = keys.map((key) => last.get(key));
      for (const key of keys) last.set(key, result.promise);
      Promise.all(before).then(() => result.resolve(work(item)));
    });
    return result.promise;
  }

  const begun: Promise<Result>[] = [];
  for (const item of items) {
    begun.push(begin(item));
    if (begun.length === width) yield await begun.shift()!;
  }
  for (const result of begun) yield await result;
}
