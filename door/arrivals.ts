/** Memory budget for bodies that have begun to arrive, shared fairly: the heaviest holder loses its oldest body first. */
import { record } from "../telemetry/metrics.ts";

export interface Arrival {
  /** Accounts for bytes that are held; may evict bodies, this one included. */
  grow(bytes: number): void;
  /** May be called more than once. */
  leave(): void;
}

export interface Arrivals {
  /**
   * Never refuses: a newcomer is innocent until it waits. Beyond the budget it evicts the body that the heaviest
   * holder has waited for longest.
   *
   * @param evict is called at most once, and not after `leave`
   */
  enter(holder: string, evict: () => void): Arrival;
  /** Bodies that are waited for. */
  count(): number;
}

/** What a request that waits for its body costs, measured, in bytes. */
const OVERHEAD = 32 * 1_024;
/** Room for 1,000 bodies of which nothing has arrived, or 250 of 100 KiB. */
const BUDGET = 1_000 * OVERHEAD;

interface Waiting {
  weight: number;
  evict: () => void;
}

interface Account {
  weight: number;
  /** Oldest first. */
  waiting: Set<Waiting>;
}

/** @param budget bytes, of which each body takes 32 KiB and what has arrived of it */
export function createArrivals(budget = BUDGET): Arrivals {
  const accounts = new Map<string, Account>();
  let [total, count] = [0, 0];

  function add(holder: string, waiting: Waiting, bytes: number): void {
    const account = accounts.get(holder) ?? { weight: 0, waiting: new Set() };
    if (account.waiting.size === 0) accounts.set(holder, account);
    if (!account.waiting.has(waiting)) count++;
    account.waiting.add(waiting);
    account.weight += bytes;
    waiting.weight += bytes;
    total += bytes;
  }

  function remove(holder: string, waiting: Waiting): void {
    const account = accounts.get(holder);
    if (!account?.waiting.delete(waiting)) return;
    account.weight -= waiting.weight;
    total -= waiting.weight;
    count--;
    if (account.waiting.size === 0) accounts.delete(holder);
  }

  function evictOldest(): void {
    let heaviest: [holder: string, account: Account] | undefined;
    for (const entry of accounts) {
      if (heaviest === undefined || entry[1].weight > heaviest[1].weight) heaviest = entry;
    }
    const [oldest] = heaviest?.[1].waiting ?? [];
    if (!heaviest || !oldest) return;
    remove(heaviest[0], oldest);
    record("customer_service.load.refused", 1);
    oldest.evict();
  }

  return {
    enter(holder, evict) {
      const waiting = { weight: 0, evict };
      let isIn = true;
      const leave = () => {
        isIn = false;
        remove(holder, waiting);
      };
      const grow = (bytes: number) => {
        if (!isIn || (waiting.weight > 0 && !accounts.get(holder)?.waiting.has(waiting))) return;
        add(holder, waiting, bytes);
        while (total > budget && count > 0) evictOldest();
      };
      grow(OVERHEAD);
      return { grow, leave };
    },
    count: () => count,
  };
}
