/** Restore check: detects a database that was restored from a backup, because Kafka has a later erasure. */
import { pause } from "../lib/timeout.ts";
import { getLogger } from "@logtape/logtape";
import type { Sql } from "../db/connect.ts";
import { findLastErasure } from "../db/erased_subjects.ts";
import { describeError } from "../lib/error_description.ts";
import { readErasureLog } from "./erasure_log.ts";
import type { KafkaSettings } from "./kafka_client.ts";

/** Number of last entries per partition to read. Their order is that of completion, so the newest erasure is among them. */
const LAST_ENTRIES = 100;
const RETRY_MS = 60_000;

export interface RestoreCheck extends AsyncDisposable {
  /** Whether the database lacks an erasure; undefined if the check was disposed of before it had a result. */
  result: Promise<boolean | undefined>;
}

/**
 * Compares once and logs a warning if the database lacks an erasure. Retries while Kafka is unavailable.
 *
 * @param sql a pool of customer_worker
 */
export function startRestoreCheck(
  sql: Sql,
  settings: KafkaSettings,
  retryMs: number = RETRY_MS,
): RestoreCheck {
  const stopping = new AbortController();
  const log = getLogger(["customer-service", "events"]);

  async function compare(): Promise<boolean | undefined> {
    while (!stopping.signal.aborted) {
      try {
        const published = await newestErasure(settings, stopping.signal);
        // Read afterwards, because an erasure is stored before it is published.
        const stored = published && await findLastErasure(sql);
        const isRestored = published !== undefined && (!stored || stored < published);
        if (isRestored) warn(published, stored);
        return isRestored;
      } catch (error) {
        log.debug("Cannot compare the erasure memory with Kafka's: {reason}", {
          reason: describeError(error),
        });
        await pause(retryMs, stopping.signal);
      }
    }
  }

  function warn(published: Date, stored: Date | undefined): void {
    log.warn(
      "The database was restored from a backup and may contain erased persons: its last erasure is of {stored}, the " +
        "last one in customer.erased is of {published}. Erase them again: deno task erasure replay --from kafka",
      { stored: stored?.toISOString() ?? "never", published: published.toISOString() },
    );
  }

  const result = compare();
  return {
    result,
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await result;
    },
  };
}

/** Undefined if there is no erasure yet. */
async function newestErasure(settings: KafkaSettings, signal: AbortSignal): Promise<Date | undefined> {
  let newest: Date | undefined;
  for await (const entries of readErasureLog(settings, { last: LAST_ENTRIES, signal })) {
    for (const { subject } of entries) {
      if (subject && (!newest || subject.erasedAt > newest)) newest = subject.erasedAt;
    }
  }
  return newest;
}
