/** Reads the data of the overview from one database snapshot. */
import { countMatching, countRequests, type RequestCounts } from "../../db/gdpr_counts.ts";
import { type FoundRequest, type RequestPosition, searchRequests } from "../../db/gdpr_search.ts";
import { findWaits, type ParticipantWait } from "../../db/participant_waits.ts";
import type { ReadSql, StoreReader } from "../../db/store_reader.ts";
import { ExpiringCache } from "../../lib/expiring_cache.ts";
import { atRiskUntil, type OverviewQuery, type Sort, SORTS, toRequestFilter } from "./query.ts";

/** Requests on one page. */
export const PAGE = 50;

export interface OverviewPage {
  requests: FoundRequest[];
  /** Position of the next page; undefined on the last one. */
  next: RequestPosition | undefined;
  /** Number of requests that match the filters; at most MAX_COUNT + 1. */
  total: number;
  /** Participants that the requests wait for. */
  waits: ParticipantWait[];
}

export async function readOverview(reader: StoreReader, storeId: string, query: OverviewQuery, now: Date) {
  return await reader.read(storeId, async (sql) => {
    const [counts, found] = await Promise.all([
      countRequests(sql, storeId, now, atRiskUntil(now)),
      find(sql, storeId, query, now),
    ]);
    return { fingerprint: fingerprintOf(counts, found), counts, ...found };
  });
}

async function find(
  sql: ReadSql,
  storeId: string,
  { filters, sort, after }: OverviewQuery,
  now: Date,
): Promise<OverviewPage> {
  const page = { order: SORTS[sort], limit: PAGE + 1, after };
  const search = { storeId, filter: toRequestFilter(filters, now), now };
  const [rows, total] = await Promise.all([searchRequests(sql, search, page), countMatching(sql, search)]);
  const requests = rows.slice(0, PAGE);
  const last = rows.length > PAGE ? requests.at(-1) : undefined;
  const open = requests.filter(({ status }) => status === "IN_PROGRESS").map(({ requestId }) => requestId);
  const waits = await findWaits(sql, storeId, open);
  return { requests, next: last && positionOf(last, sort), total, waits };
}

export function positionOf(
  { requestId, createdAt, dueAt, status }: FoundRequest,
  sort: Sort,
): RequestPosition {
  return { at: sort === "due" ? dueAt : createdAt, requestId, completed: status === "COMPLETED" };
}

/** Time for which open pages share one count, in milliseconds: all of them query after the same notification. */
const COUNT_TTL_MS = 250;
/** Stores whose counts are shared at once. */
const MAX_COUNTS = 1_000;

/** Creates the fingerprint function of the overview, which counts once for all viewers of a store. */
export function createFingerprints(reader: StoreReader) {
  const counting = new ExpiringCache<Promise<RequestCounts>>(MAX_COUNTS);

  function count(storeId: string, now: Date): Promise<RequestCounts> {
    const cached = counting.get(storeId);
    if (cached) return cached;
    const counts = reader.read(
      storeId,
      (sql) => countRequests(sql, storeId, now, atRiskUntil(now)),
    );
    counting.set(storeId, counts, COUNT_TTL_MS);
    return counts;
  }

  return async (storeId: string, query: OverviewQuery, now: Date): Promise<string> => {
    const [counts, found] = await Promise.all([
      count(storeId, now),
      reader.read(storeId, (sql) => find(sql, storeId, query, now)),
    ]);
    return fingerprintOf(counts, found);
  };
}

function fingerprintOf(counts: RequestCounts, { requests, next, total }: OverviewPage): string {
  const shown = requests.map(({ requestId, version }) => [requestId, version]);
  return JSON.stringify([counts, shown, next !== undefined, total]);
}
