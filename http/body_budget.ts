/** Memory budget for incoming request bodies. Beyond it the holder that uses most loses its oldest body. */
import { record } from "../telemetry/metrics.ts";

/** The share of one body. */
export interface Reservation {
  /** Counts received bytes. May evict bodies, including this one. */
  grow(bytes: number): void;
  /** Frees the share. Further calls do nothing. */
  release(): void;
}

export interface BodyBudget {
  /**
   * Admits every body. Beyond the budget it evicts the oldest body of the holder that uses most.
   *
   * @param holder the caller that the bytes count for
   * @param evict called at most once, and not after `release`
   */
  reserve(holder: string, evict: () => void): Reservation;
  /** Number of incoming bodies. */
  count(): number;
}

/** Measured memory of a request whose body has not arrived, in bytes. */
const OVERHEAD = 32 * 1_024;
/** Room for 1,000 empty bodies, or for 250 of 100 KiB. */
const BUDGET = 1_000 * OVERHEAD;

interface Incoming {
  weight: number;
  evict: () => void;
}

interface Account {
  weight: number;
  /** Oldest first. */
  incoming: Set<Incoming>;
}

/** @param budget in bytes; each body takes 32 KiB plus its received bytes */
export function createBodyBudget(budget = BUDGET): BodyBudget {
  const accounts = new Map<string, Account>();
  let [total, count] = [0, 0];

  function add(holder: string, body: Incoming, bytes: number): void {
    const account = accounts.get(holder) ?? { weight: 0, incoming: new Set() };
    if (account.incoming.size === 0) accounts.set(holder, account);
    if (!account.incoming.has(body)) count++;
    account.incoming.add(body);
    account.weight += bytes;
    body.weight += bytes;
    total += bytes;
  }

  function remove(holder: string, body: Incoming): void {
    const account = accounts.get(holder);
    if (!account?.incoming.delete(body)) return;
    account.weight -= body.weight;
    total -= body.weight;
    count--;
    if (account.incoming.size === 0) accounts.delete(holder);
  }

  function evictOldest(): void {
    let heaviest: [holder: string, account: Account] | undefined;
    for (const entry of accounts) {
      if (heaviest === undefined || entry[1].weight > heaviest[1].weight) heaviest = entry;
    }
    const [oldest] = heaviest?.[1].incoming ?? [];
    if (!heaviest || !oldest) return;
    remove(heaviest[0], oldest);
    record("customer_service.load.refused", 1);
    oldest.evict();
  }

  return {
    reserve(holder, evict) {
      const body: Incoming = { weight: 0, evict };
      let isReserved = true;
      const release = () => {
        isReserved = false;
        remove(holder, body);
      };
      const grow = (bytes: number) => {
        if (!isReserved || (body.weight > 0 && !accounts.get(holder)?.incoming.has(body))) return;
        add(holder, body, bytes);
        while (total > budget && count > 0) evictOldest();
      };
      grow(OVERHEAD);
      return { grow, release };
    },
    count: () => count,
  };
}
