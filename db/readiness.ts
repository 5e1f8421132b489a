/** Readiness: the database accepts changes, and its schema is this version's. */
import type { Sql } from "./connect.ts";
import { migrationNames } from "./migrate.ts";
import { inTime } from "./time_limit.ts";
import type { WriteCheck } from "./write_check.ts";

/** Timeout of the database, in milliseconds. */
const LIMIT_MS = 2_000;

export type Readiness = () => Promise<boolean>;

/** Pools that requests need. */
export interface RequestPools {
  /** Pool of the role customer_api; absent in a process that changes nothing. */
  writer?: Sql;
  /** Pool of the role customer_reader, which runs single statements only. */
  reader: Sql;
  /** Absent in a process that changes nothing. */
  writes?: Pick<WriteCheck, "passes">;
}

/**
 * Asks both pools, so that each of them notices a server that no longer accepts changes. A writer whose connections
 * are all in use is not asked: the load, not the database, would decide the answer.
 *
 * @param ending aborted when shutdown begins: the service is no longer ready, whatever the state of the
 *   database
 */
export async function createReadiness(
  { writer, reader, writes }: RequestPools,
  ending?: AbortSignal,
): Promise<Readiness> {
  const names = await migrationNames();
  const ask = async (sql: Sql) => {
    const [row] = await sql<{ writable: boolean; applied: number }[]>`
      select not pg_is_in_recovery() and current_setting('transaction_read_only') = 'off' as writable,
        (select count(*)::int from schema_migrations where name = any(${names})) as applied`;
    return row?.writable === true && row.applied === names.length;
  };
  const askAll = async () => {
    const pools = writer && writer.traffic().used < writer.options.max ? [writer, reader] : [reader];
    const accepts = writer ? writes?.passes(writer) : true;
    return (await Promise.all([...pools.map(ask), accepts])).every((answer) => answer !== false);
  };
  return async () => !ending?.aborted && await inTime(askAll(), LIMIT_MS).catch(() => false);
}

/** Reports readiness at intervals, for readers that are notified rather than ask. Ends with the disposal. */
export function watchReadiness(
  ready: Readiness,
  tell: (ready: boolean) => void,
  everyMs = 1_000,
): Disposable {
  let stopped = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const look = async () => {
    const answer = await ready();
    if (stopped) return;
    tell(answer);
    timer = setTimeout(look, everyMs);
  };
  look();
  return {
    [Symbol.dispose]() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
