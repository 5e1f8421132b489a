/** Numbers of waiting work in all stores and of GDPR requests, for the metrics. */
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
  const [row] = await sql<[{ counts: WorkCounts }]>`
    select json_build_object(
      'outbox', (
        select coalesce(json_agg(waiting), '[]') from (
          select topic, count(*) as backlog, ${age(sql, "created_at")} as "oldestAge"
          from outbox where published_at is null group by topic order by topic
        ) as waiting
      ),
      'effects', json_build_object(
        'due', (select count(*) from effects where state = 'PENDING' and due_at <= now()),
        'poisoned', (select count(*) from effects where state = 'POISONED'),
        'failing', (select count(*) from effects where state = 'PENDING' and ${isFailing(sql)})
      ),
      'timers', (
        select json_build_object('due', count(*), 'oldestAge', ${age(sql, "due_at")},
          'failing', (select count(*) from timers where ${isFailing(sql)}))
        from timers where due_at <= now()
      ),
      'requests', (
        select coalesce(json_agg(json_build_object('type', type, 'status', status, 'outcome', outcome, 'requests', requests, 'held', held,
          'residue', residue,
          'atRisk', at_risk, 'overdue', overdue, 'proposed', proposed, 'waitingForDownload', waiting_for_download)), '[]')
        from count_gdpr_requests()
      ),
      'notices', (
        select coalesce(json_agg(json_build_object('kind', kind, 'due', due, 'overdue', overdue, 'expired', expired,
          'undeliverable', undeliverable)), '[]')
        from count_gdpr_notices()
      ),
      'holds', (
        select coalesce(json_agg(json_build_object('ground', ground, 'inEffect', in_effect, 'old', old)), '[]')
        from count_customer_holds()
      ),
      'participants', (
        select coalesce(json_agg(json_build_object('service', service, 'overdue', participants)), '[]')
        from count_overdue_participants()
      )
    ) as counts`;
  return row.counts;
}

function age(sql: Sql, column: string) {
  return sql`coalesce(extract(epoch from now() - min(${sql(column)})), 0)`;
}
