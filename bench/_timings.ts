/** Times of the calls of a load generator. */
import { quantile } from "./_statistics.ts";

export interface LoadResult {
  /** Answers of the measured time. */
  callsPerSecond: number;
  /** All calls, including those of the warm-up. */
  calls: number;
  /** Calls that were refused or not answered. */
  failed: number;
  /** Milliseconds since the call was due, which in a closed loop is when it was sent. */
  p50: number;
  p99: number;
}

/** Counts the calls that were due in the measured time, whenever they were answered: a stall costs every one of them. */
export class Timings {
  readonly from: number;
  readonly until: number;
  readonly #latencies: number[] = [];
  #calls = 0;
  #answered = 0;
  #failed = 0;

  /** @param times in seconds */
  constructor({ warmUp, seconds }: { warmUp: number; seconds: number }) {
    this.from = performance.now() + warmUp * 1_000;
    this.until = this.from + seconds * 1_000;
  }

  /** @param due when the call should have been sent, as performance.now() */
  add(due: number, isAnswered: boolean, now = performance.now()): void {
    this.#calls++;
    if (isAnswered && now >= this.from && now < this.until) this.#answered++;
    if (due < this.from || due >= this.until) return;
    this.#latencies.push(now - due);
    if (!isAnswered) this.#failed++;
  }

  result(): LoadResult {
    return {
      callsPerSecond: this.#answered / ((this.until - this.from) / 1_000),
      calls: this.#calls,
      failed: this.#failed,
      p50: quantile(this.#latencies, 0.5),
      p99: quantile(this.#latencies, 0.99),
    };
  }
}
