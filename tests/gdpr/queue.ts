/** Brings about a certain order of transactions that meet at a row. */
import assert from "node:assert/strict";
import type { Sql } from "../../db/connect.ts";
import { eventually } from "../eventually.ts";

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
