/**
 * Restore check: recognizes a database that was restored from a backup, at start and afterwards, because it lacks
 * erasures that the topic customer.erased contains, or because its marker differs from the marker file.
 */
import { getLogger } from "@logtape/logtape";
import type { Sql } from "../db/connect.ts";
import { findMissing } from "../db/erased_subjects.ts";
import { findPositions, storePositions } from "../db/restore_marks.ts";
import { observe } from "../telemetry/metrics.ts";
import { describeError } from "../lib/error_description.ts";
import { pause } from "../lib/timeout.ts";
import { isVerified, readErasureLog, type Verify } from "./erasure_log.ts";
import type { KafkaSettings } from "./kafka_client.ts";
import { hasEarlierMarker } from "./restore_marker.ts";

const INTERVAL_MS = 60_000;

export interface RestoreSources {
  kafka: KafkaSettings | undefined;
  /** Path of the marker file. */
  markerFile: string | undefined;
  verify: Verify;
}

/** Erasures that the database lacks. */
export interface RestoreState {
  /** Number of verified entries of the topic that the database lacks. */
  missing: number;
  hasEarlierMarker: boolean;
}

export interface RestoreCheck extends AsyncDisposable {
  /** Resolves after the first attempt; undefined if it has failed. */
  first: Promise<RestoreState | undefined>;
  /** The last comparison; undefined before the first one. */
  state(): RestoreState | undefined;
}

export function isRestored(state: RestoreState | undefined): boolean {
  return state !== undefined && (state.missing > 0 || state.hasEarlierMarker);
}

/**
 * Compares at intervals and logs when the answer changes. While Kafka or the file is unavailable, its last answer stays,
 * and the log says so.
 *
 * @param sql a pool of customer_worker
 */
export function startRestoreCheck(
  sql: Sql,
  sources: RestoreSources,
  intervalMs: number = INTERVAL_MS,
): RestoreCheck {
  const stopping = new AbortController();
  const { signal } = stopping;
  const first = Promise.withResolvers<RestoreState | undefined>();
  let last: RestoreState | undefined;
  const failures = new Map<string, string>();

  /** Updates the state by one source, so that a failure of the other one hides nothing. */
  async function compare(source: string, read: () => Promise<Partial<RestoreState>>): Promise<void> {
    try {
      const state = { missing: 0, hasEarlierMarker: false, ...last, ...await read() };
      report(last, state);
      last = state;
      failures.delete(source);
    } catch (error) {
      if (signal.aborted) return;
      const reason = describeError(error);
      if (failures.get(source) !== reason) {
        log.warn("Cannot compare the erasure memory with {source}: {reason}", { source, reason });
      }
      failures.set(source, reason);
    }
  }

  async function loop(): Promise<void> {
    const { kafka, markerFile, verify } = sources;
    while (!signal.aborted) {
      if (markerFile !== undefined) {
        await compare("the marker file", async () => ({
          hasEarlierMarker: await hasEarlierMarker(sql, markerFile),
        }));
      }
      if (kafka) {
        await compare("customer.erased", async () => ({
          missing: (await compareLog(sql, kafka, verify, { signal })).missing,
        }));
      }
      first.resolve(last);
      await pause(intervalMs, signal);
    }
    first.resolve(last);
  }

  const gauge = observe(["customer_service.erasure_memory.missing"], () => ({
    "customer_service.erasure_memory.missing": last
      ? [{ value: last.missing + (last.hasEarlierMarker ? 1 : 0) }]
      : [],
  }));
  const ended = loop();
  return {
    first: first.promise,
    state: () => last,
    async [Symbol.asyncDispose]() {
      stopping.abort();
      gauge[Symbol.dispose]();
      await ended;
    },
  };
}

const log = getLogger(["customer-service", "events"]);

function report(before: RestoreState | undefined, now: RestoreState): void {
  if (isRestored(now) && !isRestored(before)) {
    log.error(
      "The database was restored from a backup and may contain erased persons: it lacks {missing} erasures of " +
        "customer.erased{marker}. This service is not ready until they are erased again: deno task erasure replay",
      {
        missing: now.missing,
        marker: now.hasEarlierMarker ? ", and the marker file is of a later state" : "",
      },
    );
  }
  if (isRestored(before) && !isRestored(now)) log.info("The database contains all erasures again");
}

export interface LogComparison {
  /** Number of verified entries that the database lacks. */
  missing: number;
  /** Number of entries that this service has not written; they are ignored. */
  unverified: number;
}

/**
 * Compares the entries since the last comparison, and stores how far the database contains all of them.
 *
 * @param accept stores the end, although entries are missing
 */
export async function compareLog(
  sql: Sql,
  settings: KafkaSettings,
  verify: Verify,
  { accept = false, signal }: { accept?: boolean; signal?: AbortSignal } = {},
): Promise<LogComparison> {
  const positions = await findPositions(sql);
  const next = new Map<number, bigint>();
  const incomplete = new Set<number>();
  let [missing, unverified] = [0, 0];
  const options = { from: positions, ...(signal && { signal }) };
  for await (const entries of readErasureLog(settings, options)) {
    const verified = await Promise.all(entries.map((entry) => isVerified(entry, verify)));
    unverified += verified.filter((is) => !is).length;
    const subjects = entries.flatMap(({ subject }, index) => subject && verified[index] ? [subject] : []);
    // Read afterwards, because an erasure is stored before it is published.
    const lacking = new Set(await findMissing(sql, subjects));
    for (const { subject, partition, offset } of entries) {
      if (subject && lacking.has(subject)) {
        missing++;
        if (!accept) incomplete.add(partition);
      }
      if (!incomplete.has(partition)) next.set(partition, offset + 1n);
    }
  }
  await storePositions(sql, next);
  if (unverified > 0) {
    log.warn("{unverified} entries of customer.erased are not signed by this service and are ignored", {
      unverified,
    });
  }
  return { missing, unverified };
}
