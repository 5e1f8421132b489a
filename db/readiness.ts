/** Readiness: the database responds, and its schema is this version's. */
import type { Sql } from "./connect.ts";
import { migrationNames } from "./migrate.ts";
import { inTime } from "./time_limit.ts";

/** Timeout of the database, in milliseconds. */
const LIMIT_MS = 2_000;

export type Readiness = () => Promise<boolean>;

/**
 * @param sql a pool of any role
 * @param ending aborted when shutdown begins: the service is no longer ready, whatever the state of the
 *   database
 */
export async function createReadiness(sql: Sql, ending?: AbortSignal): Promise<Readiness> {
  const names = await migrationNames();
  const ask = async () => {
    const rows = await sql`select 1 from schema_migrations where name in ${sql(names)}`;
    return rows.length === names.length;
  };
  return async () => !ending?.aborted && await inTime(ask(), LIMIT_MS).catch(() => false);
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
