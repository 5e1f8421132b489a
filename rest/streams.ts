/** Streams: requests and answers of any length, of which a process serves so many, and each caller a part. */
import { DomainError } from "../domain/errors.ts";
import { type ConcurrencyQuota, createConcurrencyQuota } from "../http/concurrency_quota.ts";
import type { ApiContext } from "./api.ts";

/** Streams have no place in flight, since most of them wait: for the client, or for the database. */
const [MOST, MOST_OF_ONE] = [100, 20];
const RETRY_AFTER_SECONDS = 10;

export function createStreams(): ConcurrencyQuota {
  return createConcurrencyQuota({ what: "streams", total: MOST, perHolder: MOST_OF_ONE });
}

/**
 * Counts a stream for its caller.
 *
 * @returns what ends the count
 * @throws {DomainError} RATE_LIMITED
 */
export function openStream(c: ApiContext, streams: ConcurrencyQuota | undefined): () => void {
  const { storeId, type, id } = c.var.by;
  try {
    return streams?.take(`${type} ${storeId} ${id}`) ?? (() => {});
  } catch (error) {
    if (error instanceof DomainError) c.header("retry-after", String(RETRY_AFTER_SECONDS));
    throw error;
  }
}

/** Holds no place in flight while the client is waited for. */
export function waiting<T>(c: ApiContext, work: () => Promise<T>): Promise<T> {
  return c.var.slot?.without(work) ?? work();
}
