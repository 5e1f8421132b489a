/**
 * This service's own personal data about a customer, as records by the personal-data map. Category, purpose and retention
 * are the keys of the map, and several of one record are separated by spaces; documents contain words instead.
 */
import type { Sql } from "../../../db/connect.ts";
import type { GuestKey } from "../../../db/guests.ts";
import { resolveReaders, type ServicesOfReaders } from "../../../domain/processing.ts";
import { findChangeTimes, findEvent } from "../../../db/actor_history.ts";
import { findGroupsOf, type GroupOfCustomer } from "../../../db/customer_group_memberships.ts";
import {
  PERSONAL_DATA,
  type PersonalRow,
  type ProcessingTerms,
  readPersonalData,
} from "../../../db/personal_data.ts";
import { type ReadSql, readStore } from "../../../db/store_reader.ts";
import type { Contact } from "../requests/subject.ts";
import type { CollectedRecord, Delivery, RequestKey } from "../types.ts";
import { readJournals } from "./own_journal.ts";

export interface OwnDataRequest extends Pick<RequestKey, "storeId"> {
  customerId: string;
  type: string;
}

export interface OwnDataOptions {
  /** Names of the services that may read customers. */
  services?: ServicesOfReaders;
  /** Reads the sealed contact data of a guest. */
  readContact(sql: ReadSql, guest: GuestKey): Promise<Contact | undefined>;
}

/** Resolves the readers of a column. */
type Resolve = (readers: ProcessingTerms["recipients"]) => string[];

/**
 * Yields the rows of the personal-data map from one snapshot of the database, and for an access request the journals
 * of the customer and of the requests.
 *
 * @param sql a pool of the role customer_api
 */
export async function* collectOwnData(
  sql: Sql,
  request: OwnDataRequest,
  { services = {}, readContact }: OwnDataOptions,
): AsyncGenerator<Delivery> {
  const { storeId, customerId, type } = request;
  const { rows, groups, changedAt, isJournalWhole, contact } = await readStore(sql, storeId, async (tx) => ({
    rows: await readPersonalData(tx, storeId, customerId),
    contact: await readContact(tx, { storeId, customerId }),
    groups: await findGroupsOf(tx, storeId, customerId),
    changedAt: await findChangeTimes(tx, { storeId, actorKind: "customer", actorId: customerId }),
    isJournalWhole:
      await findEvent(tx, { storeId, actorKind: "customer", actorId: customerId }, 1) !== undefined,
  }));
  const resolve: Resolve = (readers) => resolveReaders(readers, services);
  let cursor = 0;
  const deliver = (record: CollectedRecord): Delivery => ({ record, cursor: String(++cursor) });
  for (const row of rows) {
    yield* recordsOf(row, { groups, changedAt, isJournalWhole, contact }, resolve).map(deliver);
  }
  if (type !== "ACCESS") return;
  const requests = rows.flatMap(({ table, id }) => table === "gdpr_requests" ? [String(id.request_id)] : []);
  for await (const record of readJournals(sql, { storeId, customerId, requests, services })) {
    yield deliver(record);
  }
}

interface RelatedFacts {
  groups: readonly GroupOfCustomer[];
  changedAt: ReadonlyMap<string, Date>;
  /** Whether the journal of the customer still has its first event. */
  isJournalWhole: boolean;
  contact: Contact | undefined;
}

function recordsOf(
  row: PersonalRow,
  { groups, changedAt, isJournalWhole, contact }: RelatedFacts,
  resolve: Resolve,
): CollectedRecord[] {
  const { values, id, texts } = row;
  const recordOf = (data: Record<string, unknown>, at: unknown) => wholeRecord(row, data, at, resolve);
  switch (row.table) {
    case "customers":
      return profileRecords(values, { changedAt, isJournalWhole }, resolve);
    case "guests":
      return [recordOf(withoutNull({ ...contact }), values.created_at)];
    case "customer_addresses":
      return [recordOf({ ...id, ...values }, values.updated_at)];
    case "customer_group_memberships": {
      const group = groups.find(({ groupId }) => groupId === values.group_id);
      const facts = group &&
        { group_name: group.name, price_list_id: group.priceListId, priority: group.priority };
      return [recordOf({ ...values, ...facts }, values.assigned_at)];
    }
    default:
      return [recordOf({ ...id, ...values, ...texts }, values.created_at ?? values.placed_at)];
  }
}

/** A record with the whole row. The purposes of its columns are joined. */
function wholeRecord(
  { table, values }: PersonalRow,
  data: Record<string, unknown>,
  at: unknown,
  resolve: Resolve,
): CollectedRecord {
  const columns = Object.entries(PERSONAL_DATA[table] ?? {})
    .flatMap(([name, column]) => name in values ? [column] : []);
  const joined = (field: "purpose" | "retention") =>
    [...new Set(columns.map((column) => column[field]))].join(" ");
  return {
    category: columns[0]!.category,
    purpose: joined("purpose"),
    retention: joined("retention"),
    recipients: resolve(columns.flatMap(({ recipients }) => recipients)),
    data,
    recordedAt: iso(at),
  };
}

/**
 * One record for the fields of each purpose that were last changed at the same time. The time of a change is unknown if
 * its event has been deleted at the end of its retention period.
 */
function profileRecords(
  values: Record<string, unknown>,
  { changedAt, isJournalWhole }: Pick<RelatedFacts, "changedAt" | "isJournalWhole">,
  resolve: Resolve,
): CollectedRecord[] {
  const records = new Map<string, CollectedRecord>();
  for (const [name, column] of Object.entries(PERSONAL_DATA.customers ?? {})) {
    if (!(name in values)) continue;
    const recordedAt = changedAt.get(name)?.toISOString() ??
      (isJournalWhole ? iso(values.created_at) : undefined);
    const key = JSON.stringify([column, recordedAt]);
    const record = records.get(key) ?? { ...describe(column, resolve), data: {}, recordedAt };
    record.data[name] = values[name];
    records.set(key, record);
  }
  return [...records.values()];
}

const withoutNull = (fields: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));

function describe({ category, purpose, retention, recipients }: ProcessingTerms, resolve: Resolve) {
  return { category, purpose, retention, recipients: resolve(recipients) };
}

function iso(time: unknown): string | undefined {
  return typeof time === "string" ? new Date(time).toISOString() : undefined;
}
