/** The one way in which every HTTP edge takes the body of a request. */
import type { Context } from "@hono/hono";
import { addressOf } from "./address.ts";
import { type Arrivals, createArrivals } from "./arrivals.ts";
import { BODY_CLOCK, type BodyClock, readBody } from "./body.ts";

export interface Bodies {
  /**
   * Reads the body into the request. A place in flight is given back meanwhile.
   *
   * @param holder on whose account it is waited for; the address when it is absent
   * @returns the number of bytes
   * @throws {BodyError}
   * @throws {DomainError} UNAVAILABLE: there is no place in flight any more
   */
  receive(c: Context, options: { maxBytes: number; holder?: string }): Promise<number>;
  /** Bodies that are waited for. */
  count(): number;
}

export interface BodiesOptions {
  /** Proxies of ours in front: which address a body comes from. */
  proxies: number;
  clock?: BodyClock;
  arrivals?: Arrivals;
}

export function createBodies(
  { proxies, clock = BODY_CLOCK, arrivals = createArrivals() }: BodiesOptions,
): Bodies {
  return {
    async receive(c, { maxBytes, holder }) {
      if (c.req.raw.body === null) return 0;
      const read = () =>
        readBody(c.req.raw, {
          maxBytes,
          clock,
          arrivals,
          holder: () => holder ?? `address ${addressOf(c, proxies)}`,
        });
      return await (c.get("place")?.without(read) ?? read());
    },
    count: arrivals.count,
  };
}
