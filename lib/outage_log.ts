/** Rate-limited log of an outage: its begin, a reminder every 30 seconds, and its end. */

export interface OutageLog {
  /** Call it after every failure. */
  report(error: unknown): void;
  /** Call it after every success. */
  end(): void;
}

const REMIND_MS = 30_000;

/**
 * @param logOutage called with the error when an outage begins, and again every 30 seconds while it lasts
 * @param logEnd called when it has ended
 */
export function createOutageLog(logOutage: (error: unknown) => void, logEnd: () => void): OutageLog {
  let loggedAt: number | undefined;
  return {
    report(error) {
      if (loggedAt !== undefined && Date.now() - loggedAt < REMIND_MS) return;
      loggedAt = Date.now();
      logOutage(error);
    },
    end() {
      if (loggedAt !== undefined) logEnd();
      loggedAt = undefined;
    },
  };
}
