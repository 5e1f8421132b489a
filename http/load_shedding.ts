/** Load shedding: refuses requests at once while too many are in flight or the event loop is late. */
import type { Context, MiddlewareHandler } from "@hono/hono";
import { getLogger } from "@logtape/logtape";
import { DomainError } from "../domain/errors.ts";
import { createOutageLog } from "../lib/outage_log.ts";
import { record } from "../telemetry/metrics.ts";

/** Limit on the number of requests in flight. */
export interface ConcurrencyLimit {
  /** Returns a function to call once at the end of the work; undefined if the work is refused. */
  acquire(): (() => void) | undefined;
  inFlight(): number;
}

export interface LoadMonitor extends Disposable {
  /**
   * Creates a separate limit for one kind of work, so that no kind can use up the capacity of another.
   *
   * @param what plural noun for the log: "requests"
   */
  createLimit(what: string, limit: number): ConcurrencyLimit;
  /** Event loop delay in milliseconds, averaged over a few tenths of a second. */
  delayMs(): number;
  /** Runs work that blocks the event loop once, such as loading modules: its delays are not overload. */
  ignoring<T>(work: () => Promise<T>): Promise<T>;
}

/** Sampling interval, weight of a sample, and the limit of the average. A single pause of a second passes. */
const SAMPLE_MS = 100;
const WEIGHT = 1 / 3;
export const DELAY_LIMIT_MS = 500;

export function monitorLoad(): LoadMonitor {
  const log = getLogger(["customer-service", "load"]);
  record("customer_service.load.refused", 0); // so that the first refusal shows as an increase
  const areIdle: (() => boolean)[] = [];
  let delayMs = 0;
  let last = performance.now();
  const outage = createOutageLog(
    (refused) => {
      const { what, inFlight } = refused as Refused;
      log.warn(`Refusing work: {inFlight} ${what} are in flight, and the event loop is {delayMs} ms late`, {
        inFlight,
        delayMs: Math.round(delayMs),
      });
    },
    () => log.info("Accepting all work again"),
  );
  let ignored = 0;
  const sample = () => {
    const now = performance.now();
    if (ignored > 0) last = now;
    delayMs += (Math.max(0, now - last - SAMPLE_MS) - delayMs) * WEIGHT;
    last = now;
    if (delayMs < DELAY_LIMIT_MS / 2 && areIdle.every((isIdle) => isIdle())) outage.end();
  };
  const timer = setInterval(sample, SAMPLE_MS);
  return {
    createLimit(what, limit) {
      let inFlight = 0;
      areIdle.push(() => inFlight < limit / 2);
      const release = () => {
        inFlight--;
      };
      return {
        acquire() {
          if (inFlight >= limit || delayMs > DELAY_LIMIT_MS) {
            record("customer_service.load.refused", 1);
            outage.report({ what, inFlight });
            return undefined;
          }
          inFlight++;
          return release;
        },
        inFlight: () => inFlight,
      };
    },
    delayMs: () => delayMs,
    async ignoring(work) {
      ignored++;
      try {
        return await work();
      } finally {
        last = performance.now();
        ignored--;
      }
    },
    [Symbol.dispose]: () => clearInterval(timer),
  };
}

interface Refused {
  what: string;
  inFlight: number;
}

/** One request's share of a ConcurrencyLimit. */
export interface Slot {
  /**
   * Releases the slot while `work` waits for the client, and acquires another one afterwards.
   *
   * @throws {DomainError} UNAVAILABLE: the limit is reached
   */
  without<T>(work: () => Promise<T>): Promise<T>;
}

/** Hono context variables that `shedLoad` sets. */
export interface LoadVariables {
  slot?: Slot;
}

/**
 * Middleware that answers 503 when the limit is reached.
 *
 * @param bodyOf the edge's response body for an error; without it the error is thrown, for the edge to catch
 */
export function shedLoad(
  limit: ConcurrencyLimit,
  bodyOf?: (error: DomainError, c: Context) => unknown,
): MiddlewareHandler {
  return async (c, next) => {
    let release = limit.acquire();
    if (!release) {
      const error = refusal(c);
      if (!bodyOf) throw error;
      return c.json(bodyOf(error, c) as never, 503);
    }
    c.set(
      "slot",
      {
        async without(work) {
          release?.();
          release = undefined;
          const result = await work();
          release = limit.acquire();
          if (!release) throw refusal(c);
          return result;
        },
      } satisfies Slot,
    );
    try {
      await next();
    } finally {
      release?.();
    }
  };
}

function refusal(c: Context): DomainError {
  c.header("retry-after", "1");
  return new DomainError("UNAVAILABLE", "Cannot process the request: the service is overloaded, try again");
}
