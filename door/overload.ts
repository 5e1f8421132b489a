/** Refuses work while there is too much of it: what is refused at once can be tried elsewhere. */
import type { Context, MiddlewareHandler } from "@hono/hono";
import { getLogger } from "@logtape/logtape";
import { DomainError } from "../domain/errors.ts";
import { createOutageLog } from "../lib/outage_log.ts";
import { record } from "../telemetry/metrics.ts";

/** A bounded number of requests that are worked on at a time. */
export interface Places {
  /** Takes a place and returns what gives it back, once; undefined: there is none, or the event loop is late. */
  enter(): (() => void) | undefined;
  /** Places that are taken. */
  inFlight(): number;
}

export interface Load extends Disposable {
  /**
   * Places of their own for one kind of work, so that one kind cannot take those of another.
   *
   * @param what for the log: "requests"
   */
  places(what: string, most: number): Places;
  /** How late the event loop is with what is due, in milliseconds, on an average over some tenths of a second. */
  delayMs(): number;
}

/** How often the event loop is looked at, how much a look counts, and what is too late. A pause of a second alone passes. */
const LOOK_MS = 100;
const WEIGHT = 1 / 3;
export const DELAY_LIMIT_MS = 500;

export function watchLoad(): Load {
  const log = getLogger(["customer-service", "load"]);
  record("customer_service.load.refused", 0); // so that the first refusals are seen as an increase
  const hasRoom: (() => boolean)[] = [];
  let delayMs = 0;
  let last = performance.now();
  const outage = createOutageLog(
    (refused) => {
      const { what, inFlight } = refused as Refused;
      log.warn(`Refuses work: {inFlight} ${what} are in flight, and the event loop is {delayMs} ms late`, {
        inFlight,
        delayMs: Math.round(delayMs),
      });
    },
    () => log.info("Takes all work again"),
  );
  const look = () => {
    const now = performance.now();
    delayMs += (Math.max(0, now - last - LOOK_MS) - delayMs) * WEIGHT;
    last = now;
    if (delayMs < DELAY_LIMIT_MS / 2 && hasRoom.every((isTrue) => isTrue())) outage.end();
  };
  const timer = setInterval(look, LOOK_MS);
  return {
    places(what, most) {
      let inFlight = 0;
      hasRoom.push(() => inFlight < most / 2);
      const leave = () => {
        inFlight--;
      };
      return {
        enter() {
          if (inFlight >= most || delayMs > DELAY_LIMIT_MS) {
            record("customer_service.load.refused", 1);
            outage.report({ what, inFlight });
            return undefined;
          }
          inFlight++;
          return leave;
        },
        inFlight: () => inFlight,
      };
    },
    delayMs: () => delayMs,
    [Symbol.dispose]: () => clearInterval(timer),
  };
}

interface Refused {
  what: string;
  inFlight: number;
}

/** The place in flight of one request. */
export interface Place {
  /**
   * Gives the place back while `work` waits for the client, and takes another one afterwards.
   *
   * @throws {DomainError} UNAVAILABLE: there is none
   */
  without<T>(work: () => Promise<T>): Promise<T>;
}

/** What a route finds in its context. */
export interface LoadVariables {
  place?: Place;
}

/** @param bodyOf how the edge behind it tells of an error; without it the error is thrown, for the edge to catch */
export function shedLoad(places: Places, bodyOf?: (error: DomainError) => unknown): MiddlewareHandler {
  return async (c, next) => {
    let leave = places.enter();
    if (!leave) {
      const error = refusal(c);
      if (!bodyOf) throw error;
      return c.json(bodyOf(error) as never, 503);
    }
    c.set(
      "place",
      {
        async without(work) {
          leave?.();
          leave = undefined;
          const result = await work();
          leave = places.enter();
          if (!leave) throw refusal(c);
          return result;
        },
      } satisfies Place,
    );
    try {
      await next();
    } finally {
      leave?.();
    }
  };
}

function refusal(c: Context): DomainError {
  c.header("retry-after", "1");
  return new DomainError("UNAVAILABLE", "Cannot take the request: there is too much to do, try again");
}
