/** Numbers of waiting work in all stores and of GDPR requests, for the metrics. */
import type postgres from "postgres";
import { isFailing } from "./actor_work.ts";
import type { Sql } from "./connect.ts";

export interface WorkCounts {
  /** Topics without waiting events are left out. Ages are in seconds. */
  outbox: { topic: string; backlog: number; oldestAge: number }[];
  effects: { due: number; poisoned: number; failing: number };
  timers: { due: number; oldestAge: number; failing: number }; // 0 seconds when none is due
  /** Combinations without a request are left out. */
  requests: {
    type: string;
    status: string;
    /** Null for open requests. The other numbers are those of the type and the status. */
    outcome: string | null;
    requests: number;
    held: number;
    residue: number;
    atRisk: number;
    overdue: number;
    /** With a proposal that a second person has to confirm or reject. */
    proposed: number;
    waitingForDownload: number;
  }[];
  /** Undelivered notices by kind; a kind without any is left out. */
  notices: { kind: string; due: number; overdue: number; expired: number; undeliverable: number }[];
  /**
   * Legal holds in effect by ground; a ground without any is left out. Old: placed more than a year ago, without an end.
   */
  holds: { ground: string; inEffect: number; old: number }[];
  /**
   * Number of open requests whose participant has not responded for too long; a participant without open
   * requests is left out.
   */
  participants: { service: string; overdue: number }[];
}

/** @param sql a pool of customer_worker, the only role that sees the waiting work of every store */
export async function countWork(sql: Sql): Promise<WorkCounts> {
  // A statement for each number: Citus does not combine results of several shards in one.
  const count = async (rows: postgres.PendingQuery<postgres.Row[]>) => {
    const [row] = await sql<[{ count: number }]>`select count(*)::int as count from ${rows}`;
    return row.count;
  };
  const [outbox, due, poisoned, failing, [timers], failingTimers, requests, notices, holds, participants] =
    await Promise.all([
      sql<WorkCounts["outbox"]>`
        select topic, count(*)::int as backlog, ${age(sql, "created_at")} as oldest_age
        from outbox where published_at is null group by topic order by topic`,
      count(sql`effects where state = 'PENDING' and due_at <= now()`),
      count(sql`effects where state = 'POISONED'`),
      count(sql`effects where state = 'PENDING' and ${isFailing(sql)}`),
      sql<[{ due: number; oldestAge: number }]>`
        select count(*)::int as due, ${age(sql, "due_at")} as oldest_age from timers where due_at <= now()`,
      count(sql`timers where ${isFailing(sql)}`),
      sql<WorkCounts["requests"]>`
        select type, status, outcome, requests::int, held::int, residue::int, at_risk::int, overdue::int, proposed::int,
          waiting_for_download::int
        from count_gdpr_requests()`,
      sql<WorkCounts["notices"]>`select * from count_gdpr_notices()`,
      sql<WorkCounts["holds"]>`select * from count_customer_holds()`,
      sql<WorkCounts["participants"]>`
        select service, participants::int as overdue from count_overdue_participants()`,
    ]);
  return {
    outbox: [...outbox],
    effects: { due, poisoned, failing },
    timers: { ...timers, failing: failingTimers },
    requests: [...requests],
    notices: [...notices],
    holds: [...holds],
    participants: [...participants],
  };
}

function age(sql: Sql, column: string) {
  return sql`coalesce(extract(epoch from now() - min(${sql(column)})), 0)::float8`;
}
