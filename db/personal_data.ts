/**
 * Personal-data map: every column of every table, and for those with personal data their category, purpose,
 * retention, readers and what an erasure does to them. Exports, erasures, the re-scan and the record of processing read
 * it. The words for its keys are in actors/gdpr/texts/.
 */
import postgres from "postgres";
import type { Category, Purpose, Reader, Retention } from "../domain/processing.ts";
import type { ReadSql } from "./store_reader.ts";

export type { Category };

/** Processing of the values of a column. */
export interface ProcessingTerms {
  category: Category;
  purpose: Purpose;
  retention: Retention;
  /** Possible recipients of the values, besides the customer. Reads of a value are not recorded. */
  recipients: readonly Reader[];
}

export interface PersonalColumn extends ProcessingTerms {
  /**
   * `null`: emptied; `reset`: set to the default of a new row; `delete`: the row is deleted; `keep`: stays,
   * because it identifies no person without the others.
   */
  onErasure: "null" | "reset" | "delete" | "keep";
}

/** Staff, and services with a right over REST whose answers contain profiles. */
const READERS: readonly Reader[] = [
  "STAFF",
  "REGISTER_CUSTOMERS",
  "READ_CUSTOMERS",
  "UPDATE_CUSTOMERS",
  "SEARCH_CUSTOMERS",
  "EXPORT_CUSTOMERS",
  "CHANGE_STATUS",
];
const CHECKOUT: readonly Reader[] = [...READERS, "GetCustomerSnapshot"];
const ADDRESS_READERS: readonly Reader[] = [
  "STAFF",
  "READ_ADDRESSES",
  "CHANGE_ADDRESSES",
  "GetCustomerSnapshot",
];

const identity: PersonalColumn = {
  category: "identity",
  purpose: "identification",
  retention: "UNTIL_ERASURE",
  recipients: CHECKOUT,
  onErasure: "null",
};
const contact: PersonalColumn = {
  category: "contact",
  purpose: "contact",
  retention: "UNTIL_ERASURE",
  recipients: CHECKOUT,
  onErasure: "null",
};
const address: PersonalColumn = {
  category: "address",
  purpose: "delivery",
  retention: "UNTIL_ERASURE",
  recipients: ADDRESS_READERS,
  onErasure: "null",
};
const preference: PersonalColumn = {
  category: "preference",
  purpose: "language",
  retention: "UNTIL_ERASURE",
  recipients: CHECKOUT,
  onErasure: "null",
};
const kept = (category: Category, purpose: Purpose, recipients: readonly Reader[]): PersonalColumn => ({
  category,
  purpose,
  retention: "UNLIMITED",
  recipients,
  onErasure: "keep",
});
const account = kept("status", "account", READERS);
const accountStatus = kept("status", "account", [...CHECKOUT, "GetCustomerGroups"]);
const addressHistory = kept("address", "address_choice", ADDRESS_READERS);
const choice: PersonalColumn = { ...addressHistory, retention: "UNTIL_ERASURE", onErasure: "reset" };
const hold: PersonalColumn = {
  ...kept("status", "legal_hold", ["STAFF", "READ_HOLDS", "CHANGE_HOLDS"]),
  retention: "HOLD_RECORD",
};
const membership: PersonalColumn = {
  category: "commercial",
  purpose: "pricing",
  retention: "UNTIL_ERASURE",
  recipients: ["STAFF", "READ_MEMBERSHIPS", "CHANGE_MEMBERSHIPS", "READ_GROUPS", "GetCustomerGroups"],
  onErasure: "delete",
};
const request: PersonalColumn = {
  ...kept("request", "requests", ["STAFF", "OPEN_GDPR_REQUESTS", "READ_GDPR_REQUESTS", "PARTICIPANTS"]),
  retention: "REQUEST_RECORD",
};

/** Processing of the columns in FREE_TEXT, which an erasure empties. */
export const FREE_TEXT_PROCESSING: ProcessingTerms = {
  category: "request",
  purpose: "requests",
  retention: "REQUEST_TEXT",
  recipients: ["STAFF", "OPEN_GDPR_REQUESTS", "READ_GDPR_REQUESTS"],
};

/** Processing of the journals of customers and of their requests. */
export const JOURNAL_PROCESSING = {
  customer: { category: "status", purpose: "accountability", retention: "JOURNAL", recipients: ["STAFF"] },
  gdpr_request: {
    category: "request",
    purpose: "accountability",
    retention: "REQUEST_JOURNAL",
    recipients: ["STAFF", "READ_GDPR_REQUESTS"],
  },
} as const satisfies Record<string, ProcessingTerms>;

/** Processing of receipts and of the erasure memory, which have IDs and keyed hashes of erased persons. */
export const ERASURE_PROOF_PROCESSING: ProcessingTerms = {
  category: "request",
  purpose: "accountability",
  retention: "ERASURE_PROOF",
  recipients: ["STAFF", "PARTICIPANTS"],
};

/** Tables whose rows are about one customer, by their column `customer_id`. */
export const PERSONAL_DATA: Readonly<Record<string, Readonly<Record<string, PersonalColumn>>>> = {
  customers: {
    email: contact,
    first_name: identity,
    last_name: identity,
    phone: { ...contact, recipients: READERS },
    locale: preference,
    status: accountStatus,
    created_at: account,
    updated_at: account,
    anonymized_at: account,
    closed_at: account,
  },
  guests: {
    sealed_contact: {
      category: "contact",
      purpose: "requests",
      retention: "REQUEST",
      recipients: ["STAFF"],
      onErasure: "null",
    },
    created_at: request,
  },
  customer_addresses: {
    line1: address,
    line2: address,
    city: address,
    state: address,
    country: address,
    postal_code: address,
    is_default_shipping: choice,
    is_default_billing: choice,
    created_at: addressHistory,
    updated_at: addressHistory,
  },
  customer_group_memberships: { group_id: membership, assigned_at: membership },
  customer_holds: { ground: hold, until: hold, placed_at: hold, ended_at: hold },
  gdpr_requests: {
    type: request,
    status: request,
    outcome: request,
    created_at: request,
    received_at: request,
    channel: request,
    identified_at: request,
    identity_method: request,
    identity_failures: request,
    representative_ground: request,
    completed_at: request,
    due_at: request,
    fetched_at: request,
    hold_ground: request,
    refusal_ground: request,
  },
  // Neither a subject nor a text is stored: both are composed for the delivery.
  gdpr_notices: {
    kind: request,
    delivery: request,
    created_at: request,
    due_at: request,
    settled_at: request,
    waiver: request,
  },
};

/** Columns without personal data: keys, versions, states, and what machines and relays need. */
export const NOT_PERSONAL: Readonly<Record<string, readonly string[]>> = {
  customers: ["store_id", "customer_id", "version", "membership_version", "holds", "retention_announced_at"],
  guests: ["store_id", "customer_id", "key_id", "anonymized_at"],
  customer_addresses: ["store_id", "address_id", "customer_id"],
  customer_group_memberships: ["store_id", "customer_id", "assigned_by"],
  customer_holds: [
    "store_id",
    "hold_id",
    "customer_id",
    "placed_by",
    "placed_by_service",
    "placed_sequence",
    "lifted_by",
    "lifted_by_service",
  ],
  ended_sessions: ["store_id", "token_hash", "expires_at"], // digests of tokens, deleted when those expire
  retention_sweep: ["only_row", "next_at"],
  rate_limits: ["store_id", "key", "points", "expires"], // keyed digests, deleted within minutes
  // Statements and contact data of the controller, none of customers.
  store_settings: [
    "store_id",
    "name",
    "controller",
    "data_protection_contact",
    "supervisory_authority",
    "time_zone",
    "holidays",
    "closed_account_retention_days",
    "request_retention_days",
    "journal_retention_days",
    "hold_retention_days",
    "erasure_grace_hours",
    "languages",
    "participants",
    "legal_bases",
    "recipients",
    "third_countries",
    "automated_decisions",
    "version",
    "created_at",
    "updated_at",
  ],
  // A group's name is about the group: input with an email address or a phone number is refused.
  shopper_groups: [
    "store_id",
    "group_id",
    "name",
    "price_list_id",
    "priority",
    "version",
    "created_at",
    "updated_at",
    "deleted_at",
  ],
  gdpr_requests: [
    "store_id",
    "request_id",
    "customer_id",
    "is_guest",
    "account_id",
    "guest_id",
    "requested_by",
    "machine",
    "snapshot",
    "version",
    "cleared",
    "confirmed_by",
    "confirmed_at",
    "fetch_wait_ends_at",
    "cancellable_until",
    "identified_by",
    "information_requested_at",
  ],
  gdpr_participants: [
    "store_id",
    "request_id",
    "service",
    "state",
    "attempts",
    "next_attempt_at",
    "last_error",
    "signature",
    "signature_key",
    "waiver_proposed_by",
    "waiver_proposed_at",
    "waiver_confirmed_by",
    "settled_at",
  ],
  // The values are encrypted; the erasure deletes them, and they expire after a few days.
  gdpr_export_parts: [
    "store_id",
    "request_id",
    "part",
    "media_type",
    "records",
    "bytes",
    "sha256",
    "resume_after",
    "complete",
    "uses",
    "expires_at",
  ],
  gdpr_exports: ["store_id", "request_id", "part", "chunk", "bytes"],
  // The recipient is sealed by the erasure, and destroyed when the notice is settled.
  gdpr_notices: [
    "store_id",
    "notice_id",
    "request_id",
    "customer_id",
    "attempts",
    "waived_by",
    "sealed_recipient",
    "key_id",
    "machine",
    "snapshot",
    "version",
  ],
  erased_subjects: ["store_id", "customer_id", "erased_at"],
  email_hashes: ["store_id", "customer_id", "hash", "participant_hash", "key_id"], // keyed, no email without the key
  erasure_cleanup: ["only_row", "clean_until"],
  erasure_log_positions: ["partition", "next_offset"],
  erasure_marker: ["only_row", "current", "next", "erasures"],
  erasure_memory_decisions: ["decided_at", "decision", "reason", "missing"], // reasons of operators, about a restore
  erasure_receipts: [
    "store_id",
    "sequence",
    "request_id",
    "document",
    "previous_hash",
    "hash",
    "signature",
    "key_id",
    "public_key",
  ],
  actor_events: [
    "store_id",
    "actor_kind",
    "actor_id",
    "sequence",
    "event_type",
    "state_before",
    "state_after",
    "principal_id",
    "principal_type",
    "principal_service",
    "changed_fields",
    "reason_given",
    "note_given",
    "at",
    "about",
    "transitions",
    "failure",
  ],
  timers: [
    "store_id",
    "actor_kind",
    "actor_id",
    "name",
    "event",
    "due_at",
    "attempts",
    "last_error",
    "created_at",
    "traceparent",
  ],
  effects: [
    "store_id",
    "effect_id",
    "actor_kind",
    "actor_id",
    "type",
    "params",
    "state",
    "attempts",
    "due_at",
    "last_error",
    "trace_id",
    "created_at",
    "finished_at",
    "traceparent",
  ],
  outbox: [
    "store_id",
    "event_id",
    "seq",
    "shard",
    "topic",
    "key",
    "payload",
    "headers",
    "created_at",
    "published_at",
  ],
  idempotency_keys: [
    "store_id",
    "principal_id",
    "principal_type",
    "key",
    "request_hash",
    "answer",
    "created_at",
    "expires_at",
  ],
};

/**
 * Columns with free text that staff and services write about a customer. It may quote the customer in any way, so an
 * erasure removes all of it, and the receipt holds salted hashes of it.
 */
export const FREE_TEXT: Readonly<Record<string, readonly string[]>> = {
  gdpr_requests: [
    "hold_reason",
    "extension_reason",
    "refusal_reason",
    "cancellation_reason",
    "identity_reference",
    "information_reason",
    "representative_name",
    "representative_reference",
  ],
  gdpr_participants: ["evidence", "waiver_reason"],
  actor_events: ["reason", "note"],
};

/**
 * Returns the values that an erasure sets in the columns of a table, by their names in camelCase: null, or
 * for a `reset` the default of a new row, which is false for every such column.
 */
export function erasedValuesOf(table: string): Record<string, null | false> {
  const columns = Object.entries(PERSONAL_DATA[table] ?? {});
  const changed = columns.filter(([, { onErasure }]) => onErasure === "null" || onErasure === "reset");
  return Object.fromEntries(
    changed.map(([column, { onErasure }]) => [postgres.toCamel(column), onErasure === "null" ? null : false]),
  );
}

/** Returns the columns of a table that an erasure empties. */
export function erasedColumns(table: string): string[] {
  const columns = Object.entries(PERSONAL_DATA[table] ?? {});
  return columns.filter(([, { onErasure }]) => onErasure === "null").map(([name]) => name);
}

/** Every table in which an erasure empties columns. */
export const ERASED_TABLES = Object.keys(PERSONAL_DATA).filter((table) => erasedColumns(table).length > 0);

/** Columns that an erasure empties, free text included, by table. */
export const EMPTIED_COLUMNS: Readonly<Record<string, readonly string[]>> = {
  ...Object.fromEntries(ERASED_TABLES.map((table) => [table, erasedColumns(table)])),
  ...FREE_TEXT,
};

/** Number of values of each category that an erasure has emptied, by table. */
export type Cleared = Record<string, Partial<Record<Category, number>>>;

/** Counts the values to be emptied. The customer must be locked. */
export async function countPersonalData(tx: ReadSql, storeId: string, customerId: string): Promise<Cleared> {
  const cleared: Cleared = {};
  for (const table of ERASED_TABLES) {
    const columns = erasedColumns(table);
    const counts = columns
      .map((column) => tx`count(${tx(column)})::int as ${tx(column)}`)
      .reduce((list, count) => tx`${list}, ${count}`);
    const [row] = await tx<Record<string, number>[]>`
      select ${counts} from ${tx(table)} where store_id = ${storeId} and customer_id = ${customerId}`;
    const byCategory: Partial<Record<Category, number>> = {};
    for (const column of columns) {
      const category = PERSONAL_DATA[table]?.[column]?.category;
      const count = row?.[toCamel(column)] ?? 0;
      if (category) byCategory[category] = (byCategory[category] ?? 0) + count;
    }
    cleared[table] = byCategory;
  }
  return cleared;
}

/** Returns the values that an erasure empties, with their columns. */
export async function findErasableValues(
  tx: ReadSql,
  storeId: string,
  customerId: string,
): Promise<{ column: string; value: string }[]> {
  const rows = await readPersonalData(tx, storeId, customerId);
  return rows.flatMap(({ table, values }) =>
    erasedColumns(table).flatMap((column) => {
      const value = values[column];
      return typeof value === "string" ? [{ column, value }] : [];
    })
  );
}

/** Row about the customer, with its values by column name, without null ones. */
export interface PersonalRow {
  table: string;
  /** The row's ID by its column name; empty for a table with one row for each customer. */
  id: Record<string, unknown>;
  values: Record<string, unknown>;
  /** Values of FREE_TEXT. */
  texts: Record<string, unknown>;
}

/** Columns with the ID of a row, in tables with several rows for each customer. */
const ID_COLUMNS: Readonly<Record<string, string>> = {
  customer_addresses: "address_id",
  customer_holds: "hold_id",
  gdpr_requests: "request_id",
  gdpr_notices: "request_id",
};

/** Returns everything that the map names about a customer, table by table. */
export async function readPersonalData(
  tx: ReadSql,
  storeId: string,
  customerId: string,
): Promise<PersonalRow[]> {
  const rows: PersonalRow[] = [];
  for (const [table, columns] of Object.entries(PERSONAL_DATA)) {
    const tableRows = await tx<Omit<PersonalRow, "table">[]>`
      select ${selectedAs(tx, table, Object.keys(columns))} as "values",
        ${selectedAs(tx, table, FREE_TEXT[table] ?? [])} as texts,
        ${selectedAs(tx, table, [ID_COLUMNS[table] ?? []].flat())} as id
      from ${tx(table)} where store_id = ${storeId} and customer_id = ${customerId}`;
    rows.push(...tableRows.map((row) => ({ table, ...row })));
  }
  return rows;
}

/** Some columns of a row as one JSON object, without null values. */
function selectedAs(tx: ReadSql, table: string, columns: readonly string[]) {
  return tx`(
    select coalesce(jsonb_object_agg(key, value), '{}') from jsonb_each(to_jsonb(${tx(table)}.*))
    where key = any(${columns as string[]}) and value <> 'null')`;
}

function toCamel(column: string): string {
  return column.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}
