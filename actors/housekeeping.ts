/**
 * Housekeeping: deletes expired and finished rows, and records whose retention period has passed, every ten minutes. Each
 * step deletes a bounded batch in a transaction of its own, in turn with the other steps, until none has a full batch.
 */
import { instant } from "../db/clock.ts";
import type { Sql, Tx } from "../db/connect.ts";
import { deleteDoneEffects } from "../db/effects.ts";
import { deleteExpiredSessions } from "../db/ended_sessions.ts";
import { deleteExpiredExports } from "../db/gdpr_exports.ts";
import { destroyUnneededContacts } from "../db/guests.ts";
import { runAlone } from "../db/housekeeping.ts";
import { deleteExpiredKeys } from "../db/idempotency_keys.ts";
import { deletePublished } from "../db/outbox.ts";
import { deleteExpiredCounts } from "../db/rate_limit_counts.ts";
import { deleteEndedHolds, deleteEndedJournals, deleteEndedRequests } from "../db/retention_periods.ts";
import { vacuumAfterErasures } from "../db/vacuum.ts";
import { startWorkLoop, type WorkLoop } from "../db/work.ts";
import { pause } from "../lib/timeout.ts";
import { log, outageHandlers } from "./runtime/failures.ts";

const EVERY_MS = 10 * 60_000;
/** Number of batches of a step after which the log reports its progress. */
const REPORT_EVERY = 100;

export interface HousekeepingOptions {
  /** A pool of the role customer_worker. */
  sql: Sql;
  /** Retention of published events and performed effects, for inspection. */
  outboxRetentionMs: number;
}

/** Deletion of one kind of rows. */
interface Step {
  /** The rows, for the log. */
  rows: string;
  /** Maximum number of rows of a batch. */
  batch: number;
  /** Deletes up to `limit` rows and returns their number. */
  delete(tx: Tx, limit: number): Promise<number>;
}

/** In the order in which they run. Holds end before the events of journals that have placed them. */
const stepsOf = (outboxRetentionMs: number): readonly Step[] => [
  {
    rows: "expired idempotency keys",
    batch: 5_000,
    delete: (tx, limit) => deleteExpiredKeys(tx, instant(tx), limit),
  },
  {
    rows: "performed effects",
    batch: 5_000,
    delete: (tx, limit) => deleteDoneEffects(tx, instant(tx, undefined, -outboxRetentionMs), limit),
  },
  {
    rows: "published events",
    batch: 5_000,
    delete: (tx, limit) => deletePublished(tx, outboxRetentionMs, limit),
  },
  {
    rows: "expired parts of documents",
    batch: 100,
    delete: (tx, limit) => deleteExpiredExports(tx, instant(tx), limit),
  },
  {
    rows: "expired counts of rate limits",
    batch: 5_000,
    delete: (tx, limit) => deleteExpiredCounts(tx, instant(tx), limit),
  },
  {
    rows: "expired sessions",
    batch: 5_000,
    delete: (tx, limit) => deleteExpiredSessions(tx, instant(tx), limit),
  },
  { rows: "contact data of guests", batch: 1_000, delete: destroyUnneededContacts },
  { rows: "completed requests", batch: 200, delete: deleteEndedRequests },
  { rows: "ended legal holds", batch: 1_000, delete: deleteEndedHolds },
  { rows: "events of journals of customers", batch: 2_000, delete: deleteEndedJournals },
];

/** Starts housekeeping. A step that fails does not keep the others from running. One replica at a time runs a step. */
export function startHousekeeping({ sql, outboxRetentionMs }: HousekeepingOptions): WorkLoop {
  const steps = stepsOf(outboxRetentionMs).map((step, number) => ({
    step,
    number,
    outage: outageHandlers(`delete ${step.rows}`),
  }));
  const vacuum = outageHandlers("vacuum after erasures");
  const tidyUp = async (signal: AbortSignal) => {
    /** In every round: a long backlog must not delay it. */
    const vacuumErased = async () => {
      if (signal.aborted) return;
      try {
        await vacuumAfterErasures(sql);
        vacuum.onSuccess();
      } catch (error) {
        if (!signal.aborted) vacuum.onError(error);
      }
    };
    const progress = new Map(steps.map((each) => [each, { deleted: 0, batches: 0 }]));
    while (progress.size > 0 && !signal.aborted) {
      const start = performance.now();
      for (const [each, done] of progress) {
        const { step, number, outage } = each;
        if (signal.aborted) return false;
        let count = 0;
        try {
          count = await runAlone(sql, number, (tx) => step.delete(tx, step.batch));
          outage.onSuccess();
        } catch (error) {
          if (!signal.aborted) outage.onError(error);
        }
        done.deleted += count;
        done.batches++;
        const isLast = count < step.batch;
        if (done.deleted > 0 && (isLast || done.batches % REPORT_EVERY === 0)) {
          log.info("Housekeeping deleted {count} rows: {rows}", { count: done.deleted, rows: step.rows });
        }
        if (isLast) progress.delete(each);
      }
      await vacuumErased();
      // Half of the time is left to other work.
      if (progress.size > 0) await pause(performance.now() - start, signal);
    }
    return false;
  };
  return startWorkLoop(tidyUp, { pollMs: EVERY_MS, ...outageHandlers("tidy up") });
}
