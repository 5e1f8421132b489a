/** Wake-up of worker loops: a notification wakes a loop, and polling covers a lost one. */
import { succeedsWithin } from "../lib/timeout.ts";
import type { Sql } from "./connect.ts";
import { isUnavailable } from "./errors.ts";

const UNLISTEN_MS = 1_000;

/** Notifications name stores only: a worker that wakes reads its own table. */
const CHANNEL = "customer_work";
/** Maximum number of stores in a notification, whose size PostgreSQL limits to 8,000 bytes. */
const STORES_A_NOTIFICATION = 200;

/**
 * Notifies every replica of stores in which work has been committed; callers share a notification that is on its way. It
 * runs after the commit and not inside: a transaction that notifies takes a lock that all such commits share.
 */
export function createNotifier(sql: Sql): (storeId: string) => void {
  const waiting = new Set<string>();
  const send = () => {
    const storeIds = [...waiting];
    waiting.clear();
    while (storeIds.length > 0) {
      sql.notify(CHANNEL, storeIds.splice(0, STORES_A_NOTIFICATION).join(" ")).catch(() => {}); // polling finds the work
    }
  };
  return (storeId) => {
    waiting.add(storeId);
    if (waiting.size === 1) setTimeout(send, 5);
  };
}

/**
 * Calls `wake` with the stores of every notification, and without any after each reconnection, when some may have been
 * missed. It returns once it listens, or when the database is away: the driver continues to connect, and polling finds
 * the work until then.
 */
export async function listen(sql: Sql, wake: Wake): Promise<AsyncDisposable> {
  const heard = (payload: string) => wake(payload === "" ? [] : payload.split(" "));
  try {
    const { unlisten } = await sql.listen(CHANNEL, heard, () => wake([]));
    const end = async () => {
      // A lost connection listens to nothing.
      await succeedsWithin(unlisten(), UNLISTEN_MS).catch(() => {});
    };
    return { [Symbol.asyncDispose]: end };
  } catch (error) {
    if (!isUnavailable(error)) throw error;
    return { [Symbol.asyncDispose]: () => Promise.resolve() }; // the end of the pool ends the driver's attempts
  }
}

/** @param storeIds stores that have new work, as far as they are known */
type Wake = (storeIds?: readonly string[]) => void;

export interface WorkLoop extends AsyncDisposable {
  /** Starts the next step now rather than at the next poll. */
  wake: Wake;
}

/** Where a loop looks for work: in all stores at once, or store by store where the tables are distributed. */
export interface WorkPlaces {
  /** Returns IDs of stores to look at now; undefined in place of an ID: all stores at once. */
  next(): Promise<readonly (string | undefined)[]>;
  /** Adds stores to look at. */
  add(storeIds: readonly string[]): void;
}

/** All stores at once. */
export const EVERYWHERE: WorkPlaces = { next: () => Promise.resolve([undefined]), add: () => {} };

/** Time between two looks at all nodes, in milliseconds: work that no notification has named is late by that much. */
const LOOK_EVERYWHERE_MS = 5_000;

/**
 * Stores that notifications have named, and every five seconds those with due work on any node that can be reached.
 *
 * @param sql a pool of customer_worker
 * @param work the table of the work
 */
export function createStorePlaces(sql: Sql, work: "timers" | "effects" | "outbox"): WorkPlaces {
  const named = new Set<string>();
  let lookAt = 0;
  return {
    async next() {
      if (performance.now() >= lookAt) {
        const rows = await sql<{ storeId: string }[]>`
          select store_id from find_stores_with_work(${work}) as stores (store_id)`;
        lookAt = performance.now() + LOOK_EVERYWHERE_MS;
        for (const { storeId } of rows) named.add(storeId);
      }
      const storeIds = [...named];
      named.clear();
      return storeIds;
    },
    add: (storeIds) => storeIds.forEach((storeId) => named.add(storeId)),
  };
}

/**
 * Claims up to `limit` items, place by place. A store whose node cannot be reached does not keep those of other stores
 * from being claimed.
 *
 * @throws the error of a place if nothing was claimed in any
 */
export async function claimAt<Item>(
  places: WorkPlaces,
  limit: number,
  claim: (storeId: string | undefined, limit: number) => Promise<Item[]>,
): Promise<Item[]> {
  const items: Item[] = [];
  const failures: unknown[] = [];
  for (const storeId of await places.next()) {
    const free = limit - items.length;
    const claimed = free === 0 ? undefined : await claim(storeId, free).catch((error) => {
      failures.push(error);
      return [];
    });
    items.push(...claimed ?? []);
    // There may be more.
    if (storeId !== undefined && (!claimed || claimed.length > 0)) places.add([storeId]);
  }
  if (items.length === 0 && failures.length > 0) throw failures[0];
  return items;
}

export interface WorkLoopOptions {
  /** Poll interval, in milliseconds. */
  pollMs: number;
  /** Called with the error of a step; the loop continues at the next poll. */
  onError(error: unknown): void;
  onSuccess?(): void;
}

/**
 * Runs `step` repeatedly, one at a time. A step returns whether there may be more work; without more the loop
 * waits. Disposing aborts the signal and waits for the running step.
 */
export function startWorkLoop(
  step: (signal: AbortSignal) => Promise<boolean>,
  options: WorkLoopOptions,
): WorkLoop {
  const stopping = new AbortController();
  let woken = Promise.withResolvers<void>();
  const tried = async () => {
    try {
      const more = await step(stopping.signal);
      options.onSuccess?.();
      return more;
    } catch (error) {
      if (!stopping.signal.aborted) options.onError(error);
      return false;
    }
  };
  const ended = (async () => {
    while (!stopping.signal.aborted) {
      woken = Promise.withResolvers<void>();
      const more = await tried();
      if (more || stopping.signal.aborted) continue;
      const poll = setTimeout(() => woken.resolve(), options.pollMs);
      await woken.promise;
      clearTimeout(poll);
    }
  })();
  return {
    wake: () => woken.resolve(),
    async [Symbol.asyncDispose]() {
      stopping.abort();
      woken.resolve();
      await ended;
    },
  };
}
