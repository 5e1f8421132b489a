/**
 * Outbox relay: publishes rows to a sink at least once, in order for each key. Any number of relays share the work.
 * The claim of a crashed relay ends with its connection.
 */
import { getLogger } from "@logtape/logtape";
import type { Sql, Tx } from "../db/connect.ts";
import { describeError } from "../lib/error_description.ts";
import {
  claimShard,
  findUnpublished,
  limitIdle,
  markPublished,
  relayOutbox,
  type UnpublishedRow,
} from "../db/outbox.ts";
import { createOutageLog } from "../lib/outage_log.ts";
import { startWorkLoop, type WorkLoop } from "../db/work.ts";
import { type Sink, UnpublishableError } from "./sink.ts";
import { recordPublished, traceBatch } from "./instrumentation.ts";
import { exponential, jittered } from "../lib/backoff.ts";
import { pause } from "../lib/timeout.ts";

export interface RelayOptions {
  /** Shards to publish at once. Each uses a connection of the pool. */
  concurrency?: number;
  /** Rows per transaction. */
  batchSize?: number;
  /** Poll interval when nothing wakes the relay, in milliseconds. */
  pollMs?: number;
  /** Timeout of a batch in the sink, while its transaction is open, in milliseconds. */
  publishLimitMs?: number;
  /** Delay before retrying the keys of unpublishable rows, in milliseconds. */
  holdMs?: number;
}

/** Time for a batch in progress when the relay stops. */
const GRACE_MS = 2_000;
const LONGEST_BACKOFF_MS = 5_000;

/** @param sql a pool of customer_worker */
export function startRelay(sql: Sql, sink: Sink, options: RelayOptions = {}): WorkLoop {
  const { concurrency = 2, batchSize = 1_000, pollMs = 1_000, publishLimitMs = 15_000, holdMs = 60_000 } =
    options;
  const log = getLogger(["customer-service", "events"]);
  const held = createHeldKeys(holdMs);
  const outage = createOutageLog(
    (error) => log.error("Events wait in the outbox: {reason}", { reason: describeError(error) }),
    () => log.info("Events are published again"),
  );

  async function relayShard(tx: Tx, signal: AbortSignal, wakeNext: () => void): Promise<boolean> {
    await limitIdle(tx, publishLimitMs * 2);
    const heldKeys = held.keys();
    const claim = await claimShard(tx, heldKeys);
    if (!claim) return false;
    if (claim.waiting > 1) wakeNext();
    const rows = await findUnpublished(tx, claim.shard, batchSize, heldKeys);
    if (rows.length === 0) return true;
    const published = await traceBatch(rows, () => publish(rows, signal));
    if (published.length > 0) {
      await markPublished(tx, claim.shard, published);
      outage.end();
    }
    return true;
  }

  /** Publishes a batch without its unpublishable rows, whose keys it holds back. */
  async function publish(rows: UnpublishedRow[], signal: AbortSignal): Promise<UnpublishedRow[]> {
    const startedAt = new Date();
    try {
      await sink.publish(rows, signal);
      recordPublished(rows, startedAt);
      return rows;
    } catch (error) {
      if (!(error instanceof UnpublishableError)) throw error;
      for (const [eventId, reason] of error.reasons) {
        log.error("Event {eventId} stays in the outbox, and so do later events with its key: {reason}", {
          eventId,
          reason,
        });
      }
      const waiting = new Set<string>();
      const rest = rows.filter((row) => {
        if (error.reasons.has(row.eventId)) waiting.add(row.key);
        return !waiting.has(row.key);
      });
      held.add(waiting);
      if (rest.length > 0) await sink.publish(rest, signal);
      recordPublished(rest, startedAt);
      return rest;
    }
  }

  const loops: WorkLoop[] = [];
  for (let index = 0; index < concurrency; index++) {
    let failures = 0;
    const wakeNext = () => loops[index + 1]?.wake();
    const step = async (stopping: AbortSignal) => {
      try {
        using limit = limitStep(publishLimitMs, stopping);
        const more = await relayOutbox(sql, (tx) => relayShard(tx, limit.signal, wakeNext));
        failures = 0;
        return more;
      } catch (error) {
        if (stopping.aborted) return false;
        outage.report(error);
        await pause(jittered(exponential(++failures, 200, LONGEST_BACKOFF_MS)), stopping);
        return true;
      }
    };
    loops.push(startWorkLoop(step, { pollMs, onError: outage.report }));
  }
  return {
    wake: () => loops[0]?.wake(),
    async [Symbol.asyncDispose]() {
      await Promise.all(loops.map((loop) => loop[Symbol.asyncDispose]()));
    },
  };
}

/** Keys whose next row this version cannot publish. Another replica with a newer version may be able to. */
function createHeldKeys(holdMs: number) {
  const until = new Map<string, number>();
  return {
    add(keys: Iterable<string>) {
      for (const key of keys) until.set(key, Date.now() + holdMs);
    },
    keys(): string[] {
      for (const [key, time] of until) if (time <= Date.now()) until.delete(key);
      return [...until.keys()];
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
