/** Bounded number of long answers, in all and for each caller. */
import { DomainError } from "../domain/errors.ts";

export interface Shares {
  /**
   * Takes a share and returns what gives it back, once.
   *
   * @param holder names a principal
   * @throws {DomainError} RATE_LIMITED
   */
  take(holder: string): () => void;
}

export interface SharesOptions {
  /** For the refusal: "streams". */
  what: string;
  most: number;
  mostOfOne: number;
}

export function createShares({ what, most, mostOfOne }: SharesOptions): Shares {
  const held = new Map<string, number>();
  let total = 0;
  return {
    take(holder) {
      const own = held.get(holder) ?? 0;
      if (own >= mostOfOne) throw refusal(`${mostOfOne} ${what} of one caller`);
      if (total >= most) throw refusal(`${most} ${what}`);
      held.set(holder, own + 1);
      total++;
      return () => {
        total--;
        const left = held.get(holder)! - 1;
        if (left > 0) held.set(holder, left);
        else held.delete(holder);
      };
    },
  };
}

function refusal(bound: string): DomainError {
  return new DomainError(
    "RATE_LIMITED",
    `Cannot take more than ${bound} at a time: wait until one has ended`,
  );
}
