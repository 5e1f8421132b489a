/** How an outage is told: when it begins, now and then while it lasts, and when it is over. */

export interface Trouble {
  tell(error: unknown): void;
  over(): void;
}

const REMIND_MS = 30_000;

/**
 * @param say called with the error when trouble begins, and again when it has lasted for a while
 * @param sayOver called when it is over
 */
export function createTrouble(say: (error: unknown) => void, sayOver: () => void): Trouble {
  let toldAt: number | undefined;
  return {
    tell(error) {
      if (toldAt !== undefined && Date.now() - toldAt < REMIND_MS) return;
      toldAt = Date.now();
      say(error);
    },
    over() {
      if (toldAt !== undefined) sayOver();
      toldAt = undefined;
    },
  };
}
