/** Concurrent map that yields results in the order of the items and serializes items that share a key. */
import { createTimeSlice } from "./time_slice.ts";

export interface Work<Item, Facts, Result> {
  /** Reads what belongs to an item. Never rejects. */
  prepare(item: Item): Promise<Prepared<Facts>>;
  /**
   * Processes an item. Never rejects.
   *
   * @param facts undefined: an earlier item with the same key may have changed them
   */
  work(item: Item, facts: Facts | undefined): Promise<Result>;
}

export interface Prepared<Facts> {
  /** Items that share a key are processed one after another. */
  keys: readonly string[];
  facts: Facts;
}

/** An item in progress, or processed and not yet yielded. */
interface Slot<Result> {
  processed: Promise<void>;
  result?: { value: Result };
}

/**
 * Maps batches of items. Yields the results in order, in arrays of those that are available at the same time. The next
 * batch is read while items of the last one are in progress.
 *
 * Items start in groups of half the limit: what the items of a group look up and store can share statements, and one group
 * can start while another one is in progress.
 *
 * @param limit returns the maximum number of items that are in progress, or processed and not yet yielded; at least 2
 * @throws the error of reading a batch, after the results of all items before it
 */
export async function* mapInOrder<Item, Facts, Result>(
  batches: AsyncIterator<Iterable<Item>, void>,
  work: Work<Item, Facts, Result>,
  limit: () => number,
): AsyncGenerator<Result[]> {
  const start = createStarter(work);
  const pauseAfterSlice = createTimeSlice();
  const slots: Slot<Result>[] = [];
  let items: Iterator<Item> | undefined;
  let reading: Reading<Item> | undefined = read(batches);
  for (;;) {
    const size = Math.ceil(limit() / 2);
    if (items && slots.length <= size) {
      const group: Item[] = [];
      for (let next = items.next(); !next.done; next = items.next()) {
        group.push(next.value);
        if (group.length === size) break;
        const pausing = pauseAfterSlice();
        if (pausing) await pausing;
      }
      if (group.length < size) items = undefined;
      slots.push(...group.map(start));
    } else if (!items && reading?.outcome?.status === "fulfilled") {
      const batch: IteratorResult<Iterable<Item>, void> = reading.outcome.value;
      items = batch.done ? undefined : batch.value[Symbol.iterator]();
      reading = batch.done ? undefined : read(batches);
    } else if (slots.length > 0) {
      const isReading = !items && reading && !reading.outcome;
      await (isReading ? Promise.race([slots[0]!.processed, reading!.settled]) : slots[0]!.processed);
      const results = takeProcessed(slots);
      if (results.length > 0) yield results;
    } else {
      if (!reading) return;
      await reading.settled;
      if (reading.outcome?.status === "rejected") throw reading.outcome.reason;
    }
  }
}

/** Removes the first slots whose items have been processed, and returns their results. */
function takeProcessed<Result>(slots: Slot<Result>[]): Result[] {
  const pending = slots.findIndex(({ result }) => result === undefined);
  return slots.splice(0, pending < 0 ? slots.length : pending).map(({ result }) => result!.value);
}

/** A batch that is being read. `settled` never rejects. */
interface Reading<Item> {
  settled: Promise<void>;
  outcome?: PromiseSettledResult<IteratorResult<Iterable<Item>, void>>;
}

function read<Item>(batches: AsyncIterator<Iterable<Item>, void>): Reading<Item> {
  const reading: Reading<Item> = {
    settled: Promise.allSettled([batches.next()]).then(([outcome]) => {
      reading.outcome = outcome;
    }),
  };
  return reading;
}

/** An item in progress, with its keys and those of the items that it waits for. */
interface Holder {
  processed: Promise<void>;
  keys: ReadonlySet<string>;
}

/**
 * Creates a function that starts an item as soon as all earlier items with one of its keys have been processed. An item
 * takes over the keys of the items that it waits for: a row that names a customer's ID may change the email that an earlier
 * row about the customer names.
 */
function createStarter<Item, Facts, Result>(
  { prepare, work }: Work<Item, Facts, Result>,
): (item: Item) => Slot<Result> {
  const holders = new Map<string, Holder>();
  let started = 0;
  /** Numbers of the items in progress; for each the first number that was in progress when it was started. */
  const inProgress = new Map<number, number>();
  /** Number of the last item with a key, in ascending order, as far back as an item in progress needs. */
  const lastWith = new Map<string, number>();
  let queued = Promise.resolve();

  async function process(
    item: Item,
    facts: Facts,
    { slot, holder, previous, areOutdated }: {
      slot: Slot<Result>;
      holder: Holder;
      previous: Holder[];
      /** Whether an earlier item may have changed the facts since they were read. */
      areOutdated: boolean;
    },
  ): Promise<void> {
    if (previous.length > 0) await Promise.all(previous.map(({ processed }) => processed));
    slot.result = { value: await work(item, areOutdated ? undefined : facts) };
    for (const key of holder.keys) if (holders.get(key) === holder) holders.delete(key);
  }

  /** Prepares items concurrently, and queues the items in their order. */
  return (item) => {
    const { promise: processed, resolve } = Promise.withResolvers<void>();
    const slot: Slot<Result> = { processed };
    const number = ++started;
    const [first = number] = inProgress.keys();
    inProgress.set(number, first);
    void processed.then(() => inProgress.delete(number));
    queued = Promise.all([prepare(item), queued]).then(([{ keys, facts }]) => {
      const inherited = keys.flatMap((key) => [...holders.get(key)?.keys ?? []]);
      const holder = { processed, keys: new Set([...keys, ...inherited]) };
      const previous = [...holder.keys].flatMap((key) => holders.get(key) ?? []);
      for (const key of holder.keys) holders.set(key, holder);
      // An item that was in progress while the facts were read may have been processed by now.
      const areOutdated = [...holder.keys].some((key) => (lastWith.get(key) ?? 0) >= first);
      for (const key of holder.keys) {
        lastWith.delete(key);
        lastWith.set(key, number);
      }
      const [needed = number] = inProgress.values();
      for (const [key, last] of lastWith) {
        if (last >= needed) break;
        lastWith.delete(key);
      }
      void process(item, facts, { slot, holder, previous, areOutdated }).then(resolve);
    });
    return slot;
  };
}
