/** This service as a source: what the personal-data map names about a customer, as records. */
import type { Sql } from "../../../db/connect.ts";
import { PERSONAL_DATA, type PersonalColumn, readPersonalData } from "../../../db/personal_data.ts";
import { readStore } from "../../../db/store_reader.ts";
import type { CollectedRecord, Delivery } from "../vocabulary.ts";

/** Who receives what this service holds: the services that ask it, and those that hear its events, which hold no values. */
const RECIPIENTS = ["the store's checkout, for orders that the customer places"];

/**
 * A record for each purpose of each row, as one moment shows them.
 *
 * @param sql a pool of the role customer_api
 */
export async function* collectOwnData(
  sql: Sql,
  storeId: string,
  customerId: string,
): AsyncGenerator<Delivery> {
  const rows = await readStore(sql, storeId, (sql) => readPersonalData(sql, storeId, customerId));
  let count = 0;
  for (const { table, values } of rows) {
    for (const record of recordsOf(table, values)) yield { record, cursor: String(++count) };
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
