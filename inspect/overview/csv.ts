/** CSV file of the requests that match the filters: IDs, states and dates, no personal values. */
import { findWaits, type ParticipantWait } from "../../db/participant_waits.ts";
import { type FoundRequest, type RequestPosition, searchRequests } from "../../db/gdpr_search.ts";
import type { StoreReader } from "../../db/store_reader.ts";
import { type OverviewQuery, SORTS, toRequestFilter } from "./query.ts";
import { positionOf } from "./read.ts";

/** Maximum number of requests in a file. */
export const MAX_ROWS = 10_000;
/** Number of requests that one transaction reads. */
const BATCH = 500;

type Cell = (request: FoundRequest, waits: readonly ParticipantWait[]) => string | Date | boolean | null;

const COLUMNS: Readonly<Record<string, Cell>> = {
  request_id: ({ requestId }) => requestId,
  customer_id: ({ customerId }) => customerId,
  has_account: ({ isGuest }) => !isGuest,
  type: ({ type }) => type,
  status: ({ status }) => status,
  outcome: ({ outcome }) => outcome,
  received_at: ({ receivedAt }) => receivedAt,
  channel: ({ channel }) => channel,
  opened_at: ({ createdAt }) => createdAt,
  identified_at: ({ identifiedAt }) => identifiedAt,
  due_at: ({ dueAt }) => dueAt,
  completed_at: ({ completedAt }) => completedAt,
  on_hold: ({ held }) => held,
  waiting_for: (_, waits) => waits.map(({ service }) => service).join(" "),
  waiting_since: (_, waits) => waits.map(({ since }) => since).find((since) => since !== null) ?? null,
  failures: (_, waits) =>
    waits.flatMap(({ service, failure }) => failure === null ? [] : `${service}:${failure}`).join(" "),
};

/** @returns the file, which starts with the names of the columns, and its number of requests */
export async function writeCsv(
  reader: StoreReader,
  storeId: string,
  { filters, sort }: OverviewQuery,
  now: Date,
): Promise<{ text: string; rows: number }> {
  const filter = toRequestFilter(filters, now);
  const lines = [Object.keys(COLUMNS).join(",")];
  let after: RequestPosition | undefined;
  do {
    const limit = Math.min(BATCH, MAX_ROWS - lines.length + 1);
    const batch = await reader.read(storeId, async (sql) => {
      const requests = await searchRequests(sql, { storeId, filter, now }, {
        order: SORTS[sort],
        limit,
        after,
      });
      const ids = requests.map(({ requestId }) => requestId);
      const waits = Map.groupBy(await findWaits(sql, storeId, ids), ({ requestId }) => requestId);
      return requests.map((request) => ({ request, waits: waits.get(request.requestId) ?? [] }));
    });
    for (const { request, waits } of batch) {
      lines.push(Object.values(COLUMNS).map((cell) => formatCell(cell(request, waits))).join(","));
    }
    const last = batch.at(-1);
    after = batch.length === BATCH && last ? positionOf(last.request, sort) : undefined;
  } while (after && lines.length <= MAX_ROWS);
  return { text: `${lines.join("\r\n")}\r\n`, rows: lines.length - 1 };
}

/** Quotes what CSV reserves (RFC 4180). Spreadsheets run a cell that begins with one of =+-@, so a quote mark precedes it. */
function formatCell(value: string | Date | boolean | null): string {
  if (value === null) return "";
  const text = value instanceof Date ? value.toISOString() : String(value);
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
