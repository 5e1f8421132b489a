/** Refuses work while there is too much of it: what is refused at once can be tried elsewhere. */
import type { MiddlewareHandler } from "@hono/hono";
import { getLogger } from "@logtape/logtape";
import { DomainError } from "../actors/errors.ts";
import { createTrouble } from "../db/trouble.ts";
import { record } from "../telemetry/metrics.ts";

export interface Load extends Disposable {
  /** Lets a request in and gives what is to be called, once, when it is answered; undefined: there is no room. */
  enter(): (() => void) | undefined;
  /** Requests and calls that are being answered. */
  inFlight(): number;
  /** How late the event loop is with what is due, in milliseconds, on an average over some tenths of a second. */
  delayMs(): number;
}

/** How often the event loop is looked at, how much a look counts, and what is too late. A pause of a second alone passes. */
const LOOK_MS = 100;
const WEIGHT = 1 / 3;
export const DELAY_LIMIT_MS = 500;

/** @param maxInFlight how many requests and calls are answered at once */
export function watchLoad(maxInFlight: number): Load {
  const log = getLogger(["customer-service", "load"]);
  record("customer_service.load.refused", 0); // so that the first refusals are seen as an increase
  let inFlight = 0;
  let delayMs = 0;
  let last = performance.now();
  const trouble = createTrouble(
    () =>
      log.warn("Refuses work: {inFlight} requests are in flight, and the event loop is {delayMs} ms late", {
        inFlight,
        delayMs: Math.round(delayMs),
      }),
    () => log.info("Takes all work again"),
  );
  const look = () => {
    const now = performance.now();
    delayMs += (Math.max(0, now - last - LOOK_MS) - delayMs) * WEIGHT;
    last = now;
    if (inFlight < maxInFlight / 2 && delayMs < DELAY_LIMIT_MS / 2) trouble.over();
  };
  const timer = setInterval(look, LOOK_MS);
  const leave = () => {
    inFlight--;
  };
  return {
    enter() {
      if (inFlight >= maxInFlight || delayMs > DELAY_LIMIT_MS) {
        record("customer_service.load.refused", 1);
        trouble.tell(undefined);
        return undefined;
      }
      inFlight++;
      return leave;
    },
    inFlight: () => inFlight,
    delayMs: () => delayMs,
    [Symbol.dispose]: () => clearInterval(timer),
  };
}

/** What a route finds in its context. */
export interface LoadVariables {
  /** Keeps the request's room beyond the answer that the route returns, until what this gives is called. */
  stay?: () => () => void;
}

/** @param bodyOf how the edge behind it tells of an error; without it the error is thrown, for the edge to catch */
export function shedLoad(load: Load, bodyOf?: (error: DomainError) => unknown): MiddlewareHandler {
  return async (c, next) => {
    const leave = load.enter();
    if (!leave) {
      const error = new DomainError(
        "UNAVAILABLE",
        "Cannot take the request: there is too much to do, try again",
      );
      c.header("retry-after", "1");
      if (!bodyOf) throw error;
      return c.json(bodyOf(error) as never, 503);
    }
    let stays = false;
    c.set("stay", () => {
      stays = true;
      return leave;
    });
    try {
      await next();
    } finally {
      if (!stays) leave();
    }
  };
}
