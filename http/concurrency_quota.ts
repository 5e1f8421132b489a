/** Quota of concurrent operations, in total and per caller. */
import { DomainError } from "../domain/errors.ts";

export interface ConcurrencyQuota {
  /**
   * Takes one unit of the quota. Returns a function to call once when the operation has ended.
   *
   * @param holder names a principal
   * @throws {DomainError} RATE_LIMITED
   */
  take(holder: string): () => void;
}

export interface ConcurrencyQuotaOptions {
  /** Plural noun for the error message: "streams". */
  what: string;
  total: number;
  perHolder: number;
}

export function createConcurrencyQuota(
  { what, total, perHolder }: ConcurrencyQuotaOptions,
): ConcurrencyQuota {
  const counts = new Map<string, number>();
  let count = 0;
  return {
    take(holder) {
      const own = counts.get(holder) ?? 0;
      if (own >= perHolder) throw refusal(`${perHolder} ${what} of one caller`);
      if (count >= total) throw refusal(`${total} ${what}`);
      counts.set(holder, own + 1);
      count++;
      return () => {
        count--;
        const remaining = counts.get(holder)! - 1;
        if (remaining > 0) counts.set(holder, remaining);
        else counts.delete(holder);
      };
    },
  };
}

function refusal(bound: string): DomainError {
  return new DomainError(
    "RATE_LIMITED",
    `Cannot run more than ${bound} at a time: wait until one has ended`,
  );
}
