/**
 * Outbox relay: publishes rows to a sink at least once, in order for each topic and key. A topic that refuses waits
 * alone. Any number of relays share the work. The claim of a crashed relay ends with its connection.
 */
import { getLogger } from "@logtape/logtape";
import type { Sql, Tx } from "../db/connect.ts";
import { describeError } from "../lib/error_description.ts";
import {
  claimShard,
  claimStore,
  findUnpublished,
  limitIdle,
  markPublished,
  relayOutbox,
  type Selection,
  type UnpublishedRow,
} from "../db/outbox.ts";
import { createOutageLog } from "../lib/outage_log.ts";
import { claimAt, createStorePlaces, EVERYWHERE, startWorkLoop, type WorkLoop } from "../db/work.ts";
import type { Sink } from "./sink.ts";
import { createHolds } from "./holds.ts";
import { recordPublished, recordRefused, traceBatch } from "./instrumentation.ts";
import { createTopicLog } from "./topic_log.ts";
import { TOPICS } from "./topics.ts";
import { exponential, jittered } from "../lib/backoff.ts";
import { pause } from "../lib/timeout.ts";

export interface RelayOptions {
  /** Shards to publish at once. Each uses a connection of the pool. */
  concurrency?: number;
  /** Rows per transaction. */
  batchSize?: number;
  /** Whether the tables are distributed by store: the relay then publishes store by store. */
  distributed?: boolean;
  /** Poll interval when nothing wakes the relay, in milliseconds. */
  pollMs?: number;
  /** Timeout of a batch in the sink, while its transaction is open, in milliseconds. */
  publishLimitMs?: number;
  /** Delay before retrying rows that this version cannot encode, in milliseconds. */
  holdMs?: number;
}

interface Batch {
  signal: AbortSignal;
  /** Absent: a shard of all stores. */
  storeId: string | undefined;
  /** Wakes another loop: more parts wait. */
  wakeNext(): void;
}

/** Time for a batch in progress when the relay stops. */
const GRACE_MS = 2_000;
const MAX_BACKOFF_MS = 5_000;
/** Timeout of a retry of a refusing topic. Shorter than that of a batch, because the shard is locked meanwhile. */
const RETRY_LIMIT_MS = 5_000;

/** @param sql a pool of customer_worker */
export function startRelay(sql: Sql, sink: Sink, options: RelayOptions = {}): WorkLoop {
  const { concurrency = 2, batchSize = 1_000, pollMs = 1_000, publishLimitMs = 15_000, holdMs = 60_000 } =
    options;
  const log = getLogger(["customer-service", "events"]);
  const holds = createHolds([...TOPICS.keys()], holdMs);
  const refusals = createTopicLog(log);
  const outage = createOutageLog(
    (error) => log.error("Events wait in the outbox: {reason}", { reason: describeError(error) }),
    () => log.info("Events are published again"),
  );

  const places = options.distributed ? createStorePlaces(sql, "outbox") : EVERYWHERE;

  /** Publishes rows of one shard, or of a store. Returns whether there may be more. */
  async function relayPart(tx: Tx, selection: Selection, batch: Batch): Promise<boolean> {
    const { signal, storeId, wakeNext } = batch;
    const claiming = storeId === undefined ? claimShard(tx, selection) : claimStore(tx, storeId);
    // The connection runs them in order, and both travel in one write.
    const [, claim] = await Promise.all([limitIdle(tx, publishLimitMs * 2), claiming]);
    if (!claim) return false;
    if (claim.waiting > 1) wakeNext();
    const rows = await findUnpublished(tx, claim.part, selection, batchSize);
    if (rows.length === 0) return storeId === undefined;
    const published = await traceBatch(rows, () => publish(rows, signal));
    if (published.length > 0) await markPublished(tx, claim.part, published);
    outage.end();
    return true;
  }

  async function publish(rows: UnpublishedRow[], signal: AbortSignal): Promise<UnpublishedRow[]> {
    const startedAt = new Date();
    const outcome = await sink.publish(rows, signal);
    const refusedRows = new Set(outcome.flatMap(({ rows }) => rows));
    const published = rows.filter((row) => !refusedRows.has(row));
    recordPublished(published, startedAt);
    recordRefused(outcome);
    const recovered = holds.record(published, outcome);
    refusals.report(outcome);
    refusals.end(recovered);
    return published;
  }

  const loops: WorkLoop[] = [];
  for (let index = 0; index < concurrency; index++) {
    let failures = 0;
    const wakeNext = () => loops[index + 1]?.wake();
    const relay = async (
      storeIds: readonly (string | undefined)[],
      topics: readonly string[],
      limitMs: number,
      stopping: AbortSignal,
    ) => {
      const relayFrom = async (storeId: string | undefined) => {
        using limit = limitStep(limitMs, stopping);
        const selection = { topics, heldKeys: holds.keys() };
        const batch = { signal: limit.signal, storeId, wakeNext };
        return await relayOutbox(sql, (tx) => relayPart(tx, selection, batch)) ? [storeId] : [];
      };
      const here = { ...places, next: () => Promise.resolve(storeIds) };
      return (await claimAt(here, Infinity, relayFrom)).length > 0;
    };
    const step = async (stopping: AbortSignal) => {
      const retry = holds.nextRetry();
      try {
        const storeIds = await places.next();
        const isRetried = retry !== undefined &&
          await relay(storeIds, [retry], Math.min(RETRY_LIMIT_MS, publishLimitMs), stopping);
        if (retry !== undefined && !isRetried) holds.reopen(retry);
        const more = await relay(storeIds, holds.open(), publishLimitMs, stopping);
        failures = 0;
        return more || isRetried;
      } catch (error) {
        if (stopping.aborted) return false;
        outage.report(error);
        await pause(jittered(exponential(++failures, 200, MAX_BACKOFF_MS)), stopping);
        return true;
      }
    };
    loops.push(startWorkLoop(step, { pollMs, onError: outage.report }));
  }
  return {
    wake(storeIds = []) {
      places.add(storeIds);
      loops[0]?.wake();
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(loops.map((loop) => loop[Symbol.asyncDispose]()));
    },
  };
}

/**
 * Aborts a step on timeout, soon after the relay stops, and at the latest on disposal, because a step that has lost its
 * connection may still be publishing.
 */
function limitStep(limitMs: number, stopping: AbortSignal): Disposable & { signal: AbortSignal } {
  const controller = new AbortController();
  const end = (reason: string) => controller.abort(new Error(reason));
  const timer = setTimeout(end, limitMs, `the sink has not responded within ${limitMs} ms`);
  let grace: ReturnType<typeof setTimeout> | undefined;
  const stop = () => grace = setTimeout(end, GRACE_MS, "the relay stops");
  if (stopping.aborted) stop();
  else stopping.addEventListener("abort", stop, { once: true });
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      clearTimeout(timer);
      clearTimeout(grace);
      stopping.removeEventListener("abort", stop);
      end("the transaction has ended");
    },
  };
}
