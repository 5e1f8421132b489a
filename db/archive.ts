/**
 * Records that leave the database for an archive: events in the journals of customers, and completed requests with all that
 * belongs to them. Free text and sealed recipients are left out, so an archive has what an erasure keeps. Records of customers
 * with a legal hold stay. Every function needs the role customer_worker.
 */
import type { Sql } from "./connect.ts";
import { FREE_TEXT } from "./personal_data.ts";

/** Columns that no archive has. */
const OMITTED = [...new Set([...Object.values(FREE_TEXT).flat(), "sealed_recipient"])];
/** Sorts before every ID. */
const NO_ID = "00000000-0000-0000-0000-000000000000";

export const ARCHIVED_KINDS = ["events", "requests"] as const;
export type ArchivedKind = (typeof ARCHIVED_KINDS)[number];

/** Records of one kind of a calendar month in UTC of one store. */
export interface ArchiveMonth {
  kind: ArchivedKind;
  storeId: string;
  since: Date;
  /** The beginning of the next month. */
  until: Date;
}

/** Returns the months that end before `before` and have records that may leave, in order by kind and store. */
export async function findArchivableMonths(sql: Sql, before: Date): Promise<ArchiveMonth[]> {
  return await sql<ArchiveMonth[]>`
    select 'events' as kind, * from archivable_event_months(${before})
    union all
    select 'requests', * from archivable_request_months(${before})`;
}

/** Yields the records of a month that may leave, as lines of JSON in the order of time, up to `size` at once. */
export async function* readArchivableRecords(
  sql: Sql,
  { kind, storeId, since, until }: ArchiveMonth,
  size: number,
): AsyncGenerator<string[]> {
  let [at, id, sequence] = [since.toISOString(), NO_ID, 0];
  for (;;) {
    // The time is text, because a Date has no microseconds.
    const period =
      sql`${storeId}::uuid, ${since}::timestamptz, ${until}::timestamptz, ${at}::text::timestamptz`;
    const records = kind === "events"
      ? sql`archivable_events(${period}, ${id}, ${sequence}, ${OMITTED}, ${size})`
      : sql`archivable_requests(${period}, ${id}, ${OMITTED}, ${size})`;
    const rows = await sql<{ line: string }[]>`select r::text as line from ${records} r`;
    const last = rows.at(-1);
    if (!last) return;
    yield rows.map(({ line }) => line);
    const record = JSON.parse(last.line);
    [at, id, sequence] = kind === "events"
      ? [record.at, record.actor_id, record.sequence]
      : [record.request.completed_at, record.request.request_id, 0];
  }
}

/** Deletes the records of a store that equal a line of `readArchivableRecords`. Returns their number. */
export async function deleteArchivedRecords(
  sql: Sql,
  { kind, storeId }: ArchiveMonth,
  lines: readonly string[],
): Promise<number> {
  const arguments_ = sql`${storeId}::uuid, ${[...lines]}::text[]::jsonb[], ${OMITTED}::text[]`;
  const deletion = kind === "events"
    ? sql`delete_archived_events(${arguments_})`
    : sql`delete_archived_requests(${arguments_})`;
  const [row] = await sql<{ deleted: number }[]>`select ${deletion} as deleted`;
  return row?.deleted ?? 0;
}
