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

/** Counts one request. Returns the seconds until the next one is accepted, undefined if this one is. */
export type RateLimit = (key: RateKey) => Promise<number | undefined>;

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
  const shares = new ExpiringCache<{ left: number }>(REMEMBERED);
  const underWay = new Map<string, Promise<number | undefined>>();

  /** Takes another share; returns the seconds until one is available. */
  async function take(name: string): Promise<number | undefined> {
    try {
      const { msBeforeNext } = await limiter.consume(name, share);
      shares.set(name, { left: share }, Math.max(1, msBeforeNext));
      return undefined;
    } catch (refused) {
      if (refused instanceof RateLimiterRes) return Math.max(1, Math.ceil(refused.msBeforeNext / 1_000));
      throw refused;
    } finally {
      underWay.delete(name);
    }
  }

  return async ({ storeId, key }) => {
    const name = `${storeId}${SEPARATOR}${key}`;
    for (;;) {
      const allowance = shares.get(name);
      if (allowance && allowance.left > 0) {
        allowance.left--;
        return undefined;
      }
      let taking = underWay.get(name);
      if (!taking) underWay.set(name, taking = take(name));
      const seconds = await taking;
      if (seconds !== undefined) return seconds;
    }
  };
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
