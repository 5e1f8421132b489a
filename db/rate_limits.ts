/** Rate limit that all replicas share. */
import { RateLimiterMemory, RateLimiterPostgres, RateLimiterRes } from "rate-limiter-flexible";
import { ExpiringCache } from "../lib/expiring_cache.ts";
import type { Sql } from "./connect.ts";
import { inTime } from "./time_limit.ts";

export interface RateKey {
  storeId: string;
  /** At most 64 characters that identify no person. */
  key: string;
}

/** What is left of a limit. */
export interface Quota {
  /** Requests that a window accepts. */
  requests: number;
  windowSeconds: number;
  /** Requests that this replica knows to be left in the window; others may have used some of them. */
  remaining: number;
  /** Seconds until the window ends. */
  resetSeconds: number;
}

/**
 * Counts one request. Returns the seconds until the next one is accepted, undefined if this one is.
 *
 * @param report called with what is left after the request
 */
export type RateLimit = (key: RateKey, report?: (quota: Quota) => void) => Promise<number | undefined>;

/** Time after which a database that has not counted is treated as unavailable, in milliseconds. */
const PATIENCE_MS = 1_000;

/**
 * A replica takes a hundredth of the limit from the shared count at a time, so that most requests need no
 * statement. An unused rest is lost when the window ends, so the limit is exact to a hundredth for each
 * replica.
 */
const SHARES = 100;
/** Number of cached shares; a key that was evicted takes a new one. */
const REMEMBERED = 100_000;

/**
 * Limits the requests of each key in each window of time. A key over its limit is refused from memory until
 * the window ends; without the database each replica counts for itself.
 *
 * @param sql a pool of the role customer_reader
 */
export function createRateLimit(
  sql: Sql,
  { requests, windowSeconds }: { requests: number; windowSeconds: number },
): RateLimit {
  const window = { points: requests, duration: windowSeconds };
  const limiter = new RateLimiterPostgres({
    ...window,
    storeClient: { query: (statement: Statement) => inTime(count(sql, statement), PATIENCE_MS) },
    storeType: "client",
    tableCreated: true,
    clearExpiredByTimeout: false,
    keyPrefix: "",
    inMemoryBlockOnConsumed: requests + 1,
    insuranceLimiter: new RateLimiterMemory(window),
  });
  const share = Math.max(1, Math.floor(requests / SHARES));
  const shares = new ExpiringCache<Share>(REMEMBERED);
  const underWay = new Map<string, Promise<number | undefined>>();

  /** Takes another share; returns the seconds until one is available. */
  async function take(name: string): Promise<number | undefined> {
    try {
      const { msBeforeNext, remainingPoints } = await limiter.consume(name, share);
      const ttlMs = Math.max(1, msBeforeNext);
      shares.set(name, { left: share, shared: remainingPoints, endsAt: performance.now() + ttlMs }, ttlMs);
      return undefined;
    } catch (refused) {
      if (refused instanceof RateLimiterRes) return Math.max(1, Math.ceil(refused.msBeforeNext / 1_000));
      throw refused;
    } finally {
      underWay.delete(name);
    }
  }

  const quotaOf = (remaining: number, resetSeconds: number): Quota => ({
    requests,
    windowSeconds,
    remaining,
    resetSeconds,
  });

  return async ({ storeId, key }, report) => {
    const name = `${storeId}${SEPARATOR}${key}`;
    for (;;) {
      const allowance = shares.get(name);
      if (allowance && allowance.left > 0) {
        allowance.left--;
        const { left, shared, endsAt } = allowance;
        report?.(quotaOf(left + shared, Math.max(1, Math.ceil((endsAt - performance.now()) / 1_000))));
        return undefined;
      }
      let taking = underWay.get(name);
      if (!taking) underWay.set(name, taking = take(name));
      const seconds = await taking;
      if (seconds === undefined) continue;
      report?.(quotaOf(0, seconds));
      return seconds;
    }
  };
}

/** Part of a limit that a replica has taken. */
interface Share {
  left: number;
  /** Requests that no replica had taken when this one took its share. */
  shared: number;
  /** In milliseconds of `performance.now()`. */
  endsAt: number;
}

const SEPARATOR = " ";

/** Runs the limiter's upsert with a store, which its own statement lacks. */
interface Statement {
  values: [key: string, points: number, windowEnd: number, now: number];
}

async function count(sql: Sql, { values: [prefixed, points, windowEnd, now] }: Statement) {
  const [storeId = "", key = ""] = prefixed.split(SEPARATOR);
  const [row] = await sql<{ points: number; expire: string }[]>`
    select * from count_request(${storeId}, ${key}, ${points}, ${windowEnd}, ${now})`;
  return { rows: row ? [{ points: row.points, expire: Number(row.expire) }] : [] };
}
