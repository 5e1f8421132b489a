/** Reads what the overview shows, all of one moment of the database. */
import { LRUCache } from "lru-cache";
import { countRequests, type RequestCounts } from "../../db/gdpr_counts.ts";
import { type FoundRequest, type RequestPosition, searchRequests } from "../../db/gdpr_search.ts";
import type { ReadSql, StoreReader } from "../../db/store_reader.ts";
import { type Asked, atRiskUntil, filterOf, type Sort, SORTS } from "./query.ts";

/** Requests on one page. */
export const PAGE = 50;

export interface Found {
  requests: FoundRequest[];
  /** Where the next page begins; undefined on the last one. */
  next: RequestPosition | undefined;
}

export async function readOverview(reader: StoreReader, storeId: string, asked: Asked, now: Date) {
  return await reader.read(storeId, async (sql) => {
    const [counts, found] = await Promise.all([
      countRequests(sql, storeId, now, atRiskUntil(now)),
      find(sql, storeId, asked, now),
    ]);
    return { fingerprint: fingerprintOf(counts, found), counts, ...found };
  });
}

async function find(
  sql: ReadSql,
  storeId: string,
  { wanted, sort, after }: Asked,
  now: Date,
): Promise<Found> {
  const page = { order: SORTS[sort], limit: PAGE + 1, after };
  const rows = await searchRequests(sql, { storeId, filter: filterOf(wanted, now), now }, page);
  const requests = rows.slice(0, PAGE);
  const last = rows.length > PAGE ? requests.at(-1) : undefined;
  return { requests, next: last && positionOf(last, sort) };
}

function positionOf({ requestId, createdAt, dueAt, status }: FoundRequest, sort: Sort): RequestPosition {
  return { at: sort === "due" ? dueAt : createdAt, requestId, completed: status === "COMPLETED" };
}

/** Open pages are told in one moment that something has happened, and ask at once: they share a count. */
const SHARED_MS = 250;

/** What an overview shows as a text that changes with it; counting once for all who look at a store. */
export function createFingerprints(reader: StoreReader) {
  // A resolution of 0 reads the clock each time, where any other keeps a timer running.
  const counting = new LRUCache<string, Promise<RequestCounts>>({
    max: 1_000,
    ttl: SHARED_MS,
    ttlResolution: 0,
  });

  function count(storeId: string, now: Date): Promise<RequestCounts> {
    const begun = counting.get(storeId);
    if (begun) return begun;
    const counts = reader.read(
      storeId,
      (sql) => countRequests(sql, storeId, now, atRiskUntil(now)),
    );
    counting.set(storeId, counts);
    return counts;
  }

  return async (storeId: string, asked: Asked, now: Date): Promise<string> => {
    const [counts, found] = await Promise.all([
      count(storeId, now),
      reader.read(storeId, (sql) => find(sql, storeId, asked, now)),
    ]);
    return fingerprintOf(counts, found);
  };
}

function fingerprintOf(counts: RequestCounts, { requests, next }: Found): string {
  const shown = requests.map(({ requestId, version }) => [requestId, version]);
  return JSON.stringify([counts, shown, next !== undefined]);
}
