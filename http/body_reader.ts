/** Request body reader that all HTTP edges share. */
import type { Context } from "@hono/hono";
import { addressOf } from "./address.ts";
import { type BodyBudget, createBodyBudget } from "./body_budget.ts";
import { BODY_CLOCK, type BodyClock, readBody } from "./body.ts";
import { BodyError } from "./body_error.ts";
import { ACCEPTED_CODINGS, readCoding } from "./content_encoding.ts";

export interface BodyReader {
  /**
   * Reads the whole body into the request. While it waits, the request does not count as in flight.
   *
   * @param holder the caller that the body counts for; by default the client's address
   * @returns the number of bytes
   * @throws {BodyError}
   * @throws {DomainError} UNAVAILABLE: too many requests are in flight
   */
  receive(c: Context, options: { maxBytes: number; holder?: string }): Promise<number>;
  /** Number of incoming bodies. */
  count(): number;
}

export interface BodyReaderOptions {
  /** Number of trusted proxies. */
  proxies: number;
  clock?: BodyClock;
  budget?: BodyBudget;
}

export function createBodyReader(
  { proxies, clock = BODY_CLOCK, budget = createBodyBudget() }: BodyReaderOptions,
): BodyReader {
  return {
    async receive(c, { maxBytes, holder }) {
      if (c.req.raw.body === null) return 0;
      const read = () =>
        readBody(c.req.raw, {
          maxBytes,
          clock,
          budget,
          holder: () => holder ?? `address ${addressOf(c, proxies)}`,
        });
      try {
        return await (c.get("slot")?.without(read) ?? read());
      } catch (error) {
        setBodyErrorHeaders(c, error);
        throw error;
      }
    },
    count: budget.count,
  };
}

/**
 * Reads the content coding of a body that the caller reads as a stream.
 *
 * @throws {BodyError} `unknown_coding`
 */
export function readStreamCoding(c: Context): CompressionFormat | undefined {
  try {
    return readCoding(c.req.raw.headers);
  } catch (error) {
    setBodyErrorHeaders(c, error);
    throw error;
  }
}

/** Sets the headers that a response to this error has: Retry-After, or the codings that are accepted. */
function setBodyErrorHeaders(c: Context, error: unknown): void {
  if (!(error instanceof BodyError)) return;
  if (error.fault === "evicted") c.header("retry-after", "1");
  if (error.fault === "unknown_coding") c.header("accept-encoding", ACCEPTED_CODINGS);
}
