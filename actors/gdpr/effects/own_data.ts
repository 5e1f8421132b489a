/** This service's own personal data about a customer, as records by the personal-data map. */
import type { Sql } from "../../../db/connect.ts";
import { findChangeTimes } from "../../../db/actor_history.ts";
import { findGroupsOf, type GroupOfCustomer } from "../../../db/customer_group_memberships.ts";
import {
  PERSONAL_DATA,
  type PersonalColumn,
  type PersonalRow,
  readPersonalData,
} from "../../../db/personal_data.ts";
import { readStore } from "../../../db/store_reader.ts";
import type { CollectedRecord, Delivery, RequestKey } from "../types.ts";
import { readJournals } from "./own_journal.ts";

export interface OwnDataRequest extends Pick<RequestKey, "storeId"> {
  customerId: string;
  type: string;
}

/**
 * Yields the rows of the personal-data map from one snapshot of the database, and for an access request the journals
 * of the customer and of the requests.
 *
 * @param sql a pool of the role customer_api
 */
export async function* collectOwnData(sql: Sql, request: OwnDataRequest): AsyncGenerator<Delivery> {
  const { storeId, customerId, type } = request;
  const { rows, groups, changedAt } = await readStore(sql, storeId, async (tx) => ({
    rows: await readPersonalData(tx, storeId, customerId),
    groups: await findGroupsOf(tx, storeId, customerId),
    changedAt: await findChangeTimes(tx, { storeId, actorKind: "customer", actorId: customerId }),
  }));
  let cursor = 0;
  const deliver = (record: CollectedRecord): Delivery => ({ record, cursor: String(++cursor) });
  for (const row of rows) yield* recordsOf(row, groups, changedAt).map(deliver);
  if (type !== "ACCESS") return;
  const requests = rows.flatMap(({ id }) => typeof id.request_id === "string" ? [id.request_id] : []);
  for await (const record of readJournals(sql, { storeId, customerId, requests })) yield deliver(record);
}

function recordsOf(
  row: PersonalRow,
  groups: readonly GroupOfCustomer[],
  changedAt: ReadonlyMap<string, Date>,
): CollectedRecord[] {
  const { values, id, texts } = row;
  switch (row.table) {
    case "customers":
      return profileRecords(values, changedAt);
    case "customer_addresses":
      return [recordOf(row, { ...id, ...values }, values.updated_at)];
    case "customer_group_memberships": {
      const group = groups.find(({ groupId }) => groupId === values.group_id);
      const facts = group &&
        { group_name: group.name, price_list_id: group.priceListId, priority: group.priority };
      return [recordOf(row, { ...values, ...facts }, values.assigned_at)];
    }
    default:
      return [recordOf(row, { ...id, ...values, ...texts }, values.created_at ?? values.placed_at)];
  }
}

/** A record with the whole row. The purposes of its columns are joined. */
function recordOf(
  { table, values }: PersonalRow,
  data: Record<string, unknown>,
  at: unknown,
): CollectedRecord {
  const columns = Object.entries(PERSONAL_DATA[table] ?? {})
    .flatMap(([name, column]) => name in values ? [column] : []);
  const joined = (field: "purpose" | "retention") =>
    [...new Set(columns.map((column) => column[field]))].join("; ");
  return {
    category: columns[0]!.category,
    purpose: joined("purpose"),
    retention: joined("retention"),
    recipients: [...new Set(columns.flatMap(({ recipients }) => recipients))],
    data,
    recordedAt: iso(at),
  };
}

/** One record for the fields of each purpose that were last changed at the same time. */
function profileRecords(
  values: Record<string, unknown>,
  changedAt: ReadonlyMap<string, Date>,
): CollectedRecord[] {
  const records = new Map<string, CollectedRecord>();
  for (const [name, column] of Object.entries(PERSONAL_DATA.customers ?? {})) {
    if (!(name in values)) continue;
    const recordedAt = changedAt.get(name)?.toISOString() ?? iso(values.created_at);
    const key = JSON.stringify([column, recordedAt]);
    const record = records.get(key) ?? { ...describe(column), data: {}, recordedAt };
    record.data[name] = values[name];
    records.set(key, record);
  }
  return [...records.values()];
}

function describe({ category, purpose, retention, recipients }: PersonalColumn) {
  return { category, purpose, retention, recipients: [...recipients] };
}

function iso(time: unknown): string | undefined {
  return typeof time === "string" ? new Date(time).toISOString() : undefined;
}
