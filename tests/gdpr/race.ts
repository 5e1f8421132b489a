/** Race of transactions for one row, in an order that the test sets. */
import assert from "node:assert/strict";
import type { ActorRef } from "../../actors/commands.ts";
import type { Sql } from "../../db/connect.ts";
import { ADDRESS, register, tell } from "../actors/world.ts";
import { eventually } from "../eventually.ts";
import type { ManualClockWorld } from "./manual_clock.ts";
import { phaseOf } from "./invariants.ts";
import { timerName } from "./request_events.ts";

export const START = timerName("start", "gdpr_erasure@1");
export const REFUSED = "REFUSED_IN_STATE";
export const WAITING = "PENDING.waiting_for_access";
export const AWAITING = "IN_PROGRESS.awaiting_confirmations";

export type Operation = () => Promise<unknown>;

/**
 * Locks rows, starts each operation when the previous one waits for the lock, and commits. The operations then lock
 * the rows in the order in which they were started.
 *
 * @param lock runs the statement that locks the rows
 */
export async function runInOrder(
  admin: Sql,
  lock: (tx: Sql) => Promise<unknown>,
  ...operations: Operation[]
): Promise<PromiseSettledResult<unknown>[]> {
  const session = await admin.reserve();
  const started: Promise<unknown>[] = [];
  try {
    await session`begin`;
    await lock(session);
    for (const operation of operations) {
      const result = operation();
      result.catch(() => {}); // allSettled below returns the error
      started.push(result);
      await waitForLockWaiters(admin, started.length);
    }
    await session`commit`;
  } finally {
    session.release();
  }
  return await Promise.allSettled(started);
}

/** Waits until that many sessions of this database wait for a lock. */
export async function waitForLockWaiters(admin: Sql, sessions: number): Promise<void> {
  await eventually(async () => {
    const [row] = await admin`
      select count(*)::int as count from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'`;
    assert.equal(row?.count, sessions);
  });
}

export async function openErasure(world: ManualClockWorld) {
  const customer = await register(world, { firstName: "Ada", phone: "+41791234567" });
  await tell(world, customer, "address.add", ADDRESS);
  return { customer, request: await openRequest(world, customer, "ERASURE") };
}

export async function openRequest(
  world: ManualClockWorld,
  customer: ActorRef,
  right: string,
): Promise<ActorRef> {
  const ref = { kind: "gdpr_request" as const, storeId: world.storeId, id: crypto.randomUUID() };
  const { id } = await tell(world, ref, "open", { customerId: customer.id, right });
  return { ...ref, id };
}

/** Runs two operations that lock an actor's row, in the given or the reverse order. Returns results in the given order. */
export async function race(
  world: ManualClockWorld,
  actor: ActorRef,
  operations: readonly [Operation, Operation],
  inGivenOrder: boolean,
) {
  const ordered = inGivenOrder ? operations : operations.toReversed();
  const results = await runInOrder(world.admin, rowLock(actor), ...ordered);
  return inGivenOrder ? results : results.toReversed();
}

export const rowLock = ({ kind, id }: ActorRef) => (sql: ManualClockWorld["admin"]): Promise<unknown> =>
  kind === "customer"
    ? sql`select 1 from customers where customer_id = ${id} for update`
    : kind === "gdpr_notice"
    ? sql`select 1 from gdpr_notices where notice_id = ${id} for update`
    : sql`select 1 from gdpr_requests where request_id = ${id} for update`;

export async function readPhase({ admin }: ManualClockWorld, { id }: ActorRef): Promise<string> {
  const [row] = await admin`select snapshot from gdpr_requests where request_id = ${id}`;
  return phaseOf(row?.snapshot.value);
}

export function errorCode(result: PromiseSettledResult<unknown> | undefined): string | undefined {
  return result?.status === "rejected" ? result.reason.code ?? String(result.reason) : undefined;
}
