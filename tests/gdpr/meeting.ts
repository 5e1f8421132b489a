/** Requests whose transactions meet at a row, in an order that the test sets. */
import assert from "node:assert/strict";
import type { ActorRef } from "../../actors/commands.ts";
import type { Sql } from "../../db/connect.ts";
import { ADDRESS, register, tell } from "../actors/world.ts";
import { eventually } from "../eventually.ts";
import type { ClockedWorld } from "./clocked.ts";
import { phaseOf } from "./facts.ts";
import { timerOf } from "./told.ts";

export const START = timerOf("start", "gdpr_erasure@1");
export const REFUSED = "REFUSED_IN_STATE";
export const WAITING = "PENDING.waiting_for_access";
export const AWAITING = "IN_PROGRESS.awaiting_confirmations";

export type Act = () => Promise<unknown>;

/**
 * Locks rows, starts each act only once the one before waits for them, and lets go. The acts then get the rows in
 * the order in which they were started.
 *
 * @param lock a statement that locks what the acts meet at
 */
export async function inOrder(
  admin: Sql,
  lock: (tx: Sql) => Promise<unknown>,
  ...acts: (() => Promise<unknown>)[]
): Promise<PromiseSettledResult<unknown>[]> {
  const session = await admin.reserve();
  const started: Promise<unknown>[] = [];
  try {
    await session`begin`;
    await lock(session);
    for (const act of acts) {
      const acting = act();
      acting.catch(() => {}); // its caller looks at how it has ended
      started.push(acting);
      await untilWaiting(admin, started.length);
    }
    await session`commit`;
  } finally {
    session.release();
  }
  return await Promise.allSettled(started);
}

/** Until so many sessions of this database wait for a lock. */
export async function untilWaiting(admin: Sql, sessions: number): Promise<void> {
  await eventually(async () => {
    const [row] = await admin`
      select count(*)::int as count from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'`;
    assert.equal(row?.count, sessions);
  });
}

export async function openErasure(world: ClockedWorld) {
  const customer = await register(world, { firstName: "Ada", phone: "+41791234567" });
  await tell(world, customer, "address.add", ADDRESS);
  return { customer, request: await openRequest(world, customer, "ERASURE") };
}

export async function openRequest(world: ClockedWorld, customer: ActorRef, right: string): Promise<ActorRef> {
  const ref = { kind: "gdpr_request" as const, storeId: world.storeId, id: crypto.randomUUID() };
  const { id } = await tell(world, ref, "open", { customerId: customer.id, right });
  return { ...ref, id };
}

/** Both acts meet at an actor's row, in the order given or the other way round; their ends in the order given. */
export async function meet(world: ClockedWorld, at: ActorRef, [one, other]: Act[], oneFirst: boolean) {
  const acts = [one!, other!];
  const ends = await inOrder(world.admin, lockOf(at), ...(oneFirst ? acts : acts.toReversed()));
  return oneFirst ? ends : ends.toReversed();
}

export const lockOf = ({ kind, id }: ActorRef) => (sql: ClockedWorld["admin"]): Promise<unknown> =>
  kind === "customer"
    ? sql`select 1 from customers where customer_id = ${id} for update`
    : sql`select 1 from gdpr_requests where request_id = ${id} for update`;

export async function phaseNow({ admin }: ClockedWorld, { id }: ActorRef): Promise<string> {
  const [row] = await admin`select snapshot from gdpr_requests where request_id = ${id}`;
  return phaseOf(row?.snapshot.value);
}

export function codeOf(end: PromiseSettledResult<unknown> | undefined): string | undefined {
  return end?.status === "rejected" ? end.reason.code ?? String(end.reason) : undefined;
}
