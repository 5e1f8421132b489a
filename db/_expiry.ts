/** Bound of a batch in a table of which customer_worker may read only the times of expiry. */
import type postgres from "postgres";
import type { ReadSql } from "./store_reader.ts";

/**
 * The latest time of expiry of a batch, as an SQL expression: the `limit` rows that expire first, of those that have
 * expired, and the rows that expire at the same time as the last one of them.
 *
 * @param isExpired condition on the column
 */
export function lastOfBatch(
  sql: ReadSql,
  { table, column, isExpired }: {
    table: string;
    column: string;
    isExpired: postgres.PendingQuery<postgres.Row[]>;
  },
  limit: number,
) {
  return sql`(
    select max(expiry) from (
      select ${sql(column)} as expiry from ${sql(table)} where ${isExpired} order by ${
    sql(column)
  } limit ${limit}
    ) batch)`;
}
