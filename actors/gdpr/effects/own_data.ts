/** This service's own personal data about a customer, as records by the personal-data map. */
import type { Sql } from "../../../db/connect.ts";
import { PERSONAL_DATA, type PersonalColumn, readPersonalData } from "../../../db/personal_data.ts";
import { readStore } from "../../../db/store_reader.ts";
import type { CollectedRecord, Delivery } from "../types.ts";

/** Recipients of this service's data. Its events carry no values, so their consumers are not among them. */
const RECIPIENTS = ["the store's checkout, for orders that the customer places"];

/**
 * Yields one record for each purpose of each row, from one snapshot of the database.
 *
 * @param sql a pool of the role customer_api
 */
export async function* collectOwnData(
  sql: Sql,
  storeId: string,
  customerId: string,
): AsyncGenerator<Delivery> {
  const rows = await readStore(sql, storeId, (sql) => readPersonalData(sql, storeId, customerId));
  let cursor = 0;
  for (const { table, values } of rows) {
    for (const record of recordsOf(table, values)) yield { record, cursor: String(++cursor) };
  }
}

function recordsOf(table: string, values: Record<string, unknown>): CollectedRecord[] {
  const byPurpose = new Map<PersonalColumn, Record<string, unknown>>();
  for (const [name, column] of Object.entries(PERSONAL_DATA[table] ?? {})) {
    if (!(name in values)) continue;
    const data = byPurpose.get(column) ?? {};
    data[name] = values[name];
    byPurpose.set(column, data);
  }
  const recordedAt = typeof values.created_at === "string"
    ? new Date(values.created_at).toISOString()
    : undefined;
  return [...byPurpose].map(([{ category, purpose, retention }, data]) => ({
    category,
    purpose,
    retention,
    recipients: RECIPIENTS,
    data,
    recordedAt,
  }));
}
