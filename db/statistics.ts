/** Statistics of growing tables, on which PostgreSQL's plans depend. */
import type { Sql } from "./connect.ts";

/** Number of stored rows after which the tables are looked at first, and the factor between two looks. */
const [FIRST, FACTOR] = [300, 10];

/**
 * Returns a function that counts stored rows and, each time that their number is ten times as high, has PostgreSQL analyze the
 * tables that have grown as much, in the background. A failure is ignored: autovacuum analyzes them within minutes.
 *
 * @param sql a pool of the role customer_api
 */
export function createAnalyzer(sql: Sql): (rows: number) => void {
  let [stored, next] = [0, FIRST];
  return (rows) => {
    stored += rows;
    if (stored < next) return;
    next = stored * FACTOR;
    sql`select analyze_grown_tables()`.catch(() => {});
  };
}
