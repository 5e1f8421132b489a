/** Token bucket of failed token checks for each network address, so that forged tokens cannot take a whole core. */
import { LRUCache } from "lru-cache";
import { TooManyInvalidTokensError } from "./refusals.ts";

export interface ForgeryBudget {
  /**
   * Refuses the check of an unknown token while the address has used up its budget.
   *
   * @throws {DomainError} RATE_LIMITED
   */
  require(address: string): void;
  /** Charges a failed check to the address. */
  charge(address: string): void;
}

export interface ForgeryBudgetOptions {
  /** Failed checks that an address may cause at once. */
  burst?: number;
  /** Failed checks per second after that. */
  perSecond?: number;
  /** Milliseconds of a monotonic clock. */
  now?: () => number;
}

/** Addresses with failed checks. The one that has been idle longest is forgotten first. */
const MAX_ADDRESSES = 10_000;

/**
 * A check of a signature takes about 0.2 ms, so the default leaves an address at most a fiftieth of a core. Refusals
 * are charged too, up to a whole burst: a flood has to stop for 5 s before another token is checked.
 */
export function createForgeryBudget(
  { burst = 500, perSecond = 100, now = () => performance.now() }: ForgeryBudgetOptions = {},
): ForgeryBudget {
  const buckets = new LRUCache<string, { left: number; at: number }>({ max: MAX_ADDRESSES });
  const leftOf = (address: string) => {
    const bucket = buckets.get(address);
    return bucket ? Math.min(burst, bucket.left + (now() - bucket.at) / 1_000 * perSecond) : burst;
  };
  const charge = (address: string) =>
    void buckets.set(address, { left: Math.max(-burst, leftOf(address) - 1), at: now() });
  return {
    require(address) {
      if (leftOf(address) >= 1) return;
      charge(address);
      throw new TooManyInvalidTokensError();
    },
    charge,
  };
}
