/**
 * Flood guard: a token bucket per connection for frames that cost work and bring no request further. An ordinary client
 * stays far below: gRPC sends a few window updates and pings for each answer, and answers earn them.
 */

/** Price of a frame, in tokens. */
export const PRICE = {
  ping: 1,
  settings: 10,
  priority: 1,
  windowUpdate: 1,
  reset: 1,
  unknown: 1,
  /** DATA of less than `SMALL_DATA_BYTES` that does not end its stream. */
  smallData: 1,
  /** CONTINUATION of any size. */
  continuation: 2,
  /** A stream that is refused, or that we have to reset for a violation. */
  refusedStream: 2,
  /** Each 16 fields of a header list beyond the first 32. */
  manyFields: 1,
  /** A call, or a stream that is canceled, of a peer that has authenticated nothing yet. */
  strangerCall: 10,
  /** A message of a streaming call of such a peer. */
  strangerMessage: 5,
} as const;

export const SMALL_DATA_BYTES = 64;
/** DATA sent earns a token for each so many bytes: the peer acknowledges it with window updates. */
export const BYTES_PER_EARNED_TOKEN = 4_096;
/** Tokens that an answer earns. */
export const EARNED_BY_ANSWER = 4;

export interface FloodLimits {
  /** Tokens at the start, and at most. */
  burst: number;
  perSecond: number;
}

/** Of a peer that has authenticated nothing: a hundred calls at once, twenty a second later on. */
export const STRANGER_FLOOD: Readonly<FloodLimits> = { burst: 1_300, perSecond: 200 };
export const KNOWN_FLOOD: Readonly<FloodLimits> = { burst: 10_000, perSecond: 2_000 };

export class FloodGuard {
  #tokens: number;
  #limits: FloodLimits;
  #since: number;

  constructor(limits: FloodLimits, now: number) {
    this.#limits = limits;
    this.#tokens = limits.burst;
    this.#since = now;
  }

  /** @param now milliseconds of a monotonic clock */
  spend(price: number, now: number): boolean {
    this.#tokens -= price;
    if (this.#tokens >= 0) return true;
    this.#tokens = Math.min(
      this.#limits.burst,
      this.#tokens + (now - this.#since) / 1_000 * this.#limits.perSecond,
    );
    this.#since = now;
    return this.#tokens >= 0;
  }

  earn(tokens: number): void {
    if (this.#tokens < this.#limits.burst) this.#tokens += tokens;
  }

  raise(limits: FloodLimits, now: number): void {
    this.#tokens += limits.burst - this.#limits.burst;
    this.#limits = limits;
    this.#since = now;
  }
}
