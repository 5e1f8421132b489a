/** Notices that a database was restored: the platform knows of an erasure which the database has forgotten. */
import { pause } from "../lib/timeout.ts";
import { getLogger } from "@logtape/logtape";
import type { Sql } from "../db/connect.ts";
import { findLastErasure } from "../db/erased_subjects.ts";
import { describeError } from "../lib/error_description.ts";
import { readErasureLog } from "./erasure_log.ts";
import type { KafkaSettings } from "./kafka_client.ts";

/** Entries stand in the order of their completion, not of the erasure itself: the newest is among the last. */
const LOOKED_AT = 100;
const AGAIN_MS = 60_000;

export interface MemoryWatch extends AsyncDisposable {
  /** Whether the database is behind the platform; undefined when the watch ended before that was known. */
  answer: Promise<boolean | undefined>;
}

/**
 * Warns of it in the log. It looks until it has had an answer once; Kafka may be away for as long as it likes.
 *
 * @param sql a pool of customer_worker
 */
export function watchMemory(sql: Sql, settings: KafkaSettings, againMs: number = AGAIN_MS): MemoryWatch {
  const stopping = new AbortController();
  const log = getLogger(["customer-service", "events"]);

  async function look(): Promise<boolean | undefined> {
    while (!stopping.signal.aborted) {
      try {
        const told = await newestErasure(settings, stopping.signal);
        // Asked afterwards: the database knows of an erasure before the platform is told.
        const remembered = told && await findLastErasure(sql);
        const behind = told !== undefined && (!remembered || remembered < told);
        if (behind) warn(told, remembered);
        return behind;
      } catch (error) {
        log.debug("Cannot compare the erasure memory with Kafka's: {reason}", {
          reason: describeError(error),
        });
        await pause(againMs, stopping.signal);
      }
    }
  }

  function warn(told: Date, remembered: Date | undefined): void {
    log.warn(
      "The database was restored from a backup and may hold people who have been erased: it remembers erasures " +
        "up to {remembered}, customer.erased has one of {told}. Erase them again: " +
        "deno task erasure replay --from kafka",
      { remembered: remembered?.toISOString() ?? "never", told: told.toISOString() },
    );
  }

  const answer = look();
  return {
    answer,
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await answer;
    },
  };
}

/** Undefined where nobody has been erased yet. */
async function newestErasure(settings: KafkaSettings, signal: AbortSignal): Promise<Date | undefined> {
  let newest: Date | undefined;
  for await (const entries of readErasureLog(settings, { last: LOOKED_AT, signal })) {
    for (const { subject } of entries) {
      if (subject && (!newest || subject.erasedAt > newest)) newest = subject.erasedAt;
    }
  }
  return newest;
}
