/**
 * Sweep of closed accounts: opens an erasure for those whose retention period ends soon. The opening announces it, and
 * the erasure starts at the end of the period.
 */
import { v7 as newId } from "uuid";
import { type FixedClock, instant, readClock } from "../../db/clock.ts";
import type { Sql } from "../../db/connect.ts";
import {
  claimSweep,
  type ClosedAccount,
  findClosedAccounts,
  listRetentionStores,
  scheduleSweep,
} from "../../db/retention.ts";
import { readStore } from "../../db/store_reader.ts";
import { startWorkLoop, type WorkLoop } from "../../db/work.ts";
import { ignoreRefused } from "../../domain/errors.ts";
import { systemPrincipal } from "../../domain/principal.ts";
import { announcedIfClosedBefore } from "../../domain/retention.ts";
import { newTraceparent } from "../../lib/trace_context.ts";
import type { Actors } from "../commands.ts";
import { outageHandlers } from "../runtime/failures.ts";

/** Accounts of one batch. */
const BATCH = 50;
/**
 * Pause after a batch, in multiples of its duration. An erasure takes five to eight times the processor time of its opening,
 * and erasures start at the rate at which they were opened. So the sweep and its erasures take a third of the time of one
 * processor: less than a fifth of two.
 */
export const PAUSES = 24;
/** Time after which another replica may take over from one that has died in a batch, in milliseconds. */
const CLAIM_MS = 60_000;
/** Time between two sweeps when no account is left, in milliseconds. */
const IDLE_MS = 10 * 60_000;

export interface RetentionSweep {
  /** A pool of the role customer_worker. */
  sql: Sql;
  /** A pool of the role customer_api. */
  api: Sql;
  actors: Actors;
  /** Absent: PostgreSQL's clock. */
  clock?: FixedClock | undefined;
}

/** A closed account whose erasure is due to be announced. */
export interface DueAccount extends ClosedAccount {
  storeId: string;
  /** Days for which the store keeps closed accounts. */
  days: number;
}

/** Yields the accounts of which a sweep opens the erasure now, store by store, in its order. */
export async function* findDueAccounts(
  { sql, api }: Pick<RetentionSweep, "sql" | "api">,
  now: Date,
  pageSize = 1_000,
): AsyncGenerator<DueAccount> {
  for (const { storeId, days } of await listRetentionStores(sql)) {
    const until = announcedIfClosedBefore(days, now);
    let after: ClosedAccount | undefined;
    for (;;) {
      const page: ClosedAccount[] = await readStore(
        api,
        storeId,
        (tx) => findClosedAccounts(tx, storeId, { until, limit: pageSize, after }),
      );
      for (const account of page) yield { ...account, storeId, days };
      after = page.at(-1);
      if (page.length < pageSize) break;
    }
  }
}

/** Opens the erasures of up to BATCH accounts, of all stores in turn. Returns their number. */
export async function sweepBatch(
  { sql, api, actors, clock }: RetentionSweep,
  signal?: AbortSignal,
): Promise<number> {
  const now = await readClock(sql, clock);
  let handled = 0;
  for await (const { storeId, customerId } of findDueAccounts({ sql, api }, now, BATCH)) {
    if (signal?.aborted) break;
    const ref = { kind: "gdpr_request", storeId, id: newId() } as const;
    const command = { type: "open", customerId, right: "ERASURE", cause: "RETENTION" } as const;
    const context = { by: systemPrincipal(storeId), traceparent: newTraceparent() };
    await ignoreRefused(actors.send(ref, command, context)); // reopened, held or erased since the query
    if (++handled >= BATCH) break;
  }
  return handled;
}

/** Starts the sweep. One replica at a time works on a batch; the pauses hold for all of them. */
export function startRetention(sweep: RetentionSweep): WorkLoop {
  const { sql } = sweep;
  const step = async (signal: AbortSignal) => {
    if (!await claimSweep(sql, instant(sql, undefined, CLAIM_MS))) return false;
    const start = performance.now();
    const opened = await sweepBatch(sweep, signal);
    const pauseMs = opened < BATCH ? IDLE_MS : Math.ceil((performance.now() - start) * PAUSES);
    await scheduleSweep(sql, instant(sql, undefined, pauseMs));
    return false;
  };
  return startWorkLoop(step, { pollMs: 1_000, ...outageHandlers("look for closed accounts") });
}
