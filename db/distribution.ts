/** Distribution of the tables by store, with Citus. */
import type { Sql } from "./connect.ts";

/** Returns whether the tables are distributed, as deploy/citus.sql does it. */
export async function isDistributed(sql: Sql): Promise<boolean> {
  const [row] = await sql<{ distributed: boolean }[]>`select is_distributed() as distributed`;
  return row?.distributed === true;
}
