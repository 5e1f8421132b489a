/** Quota of streams, which are requests and responses of any length: in total and per caller. */
import { DomainError } from "../domain/errors.ts";
import { type ConcurrencyQuota, createConcurrencyQuota } from "../http/concurrency_quota.ts";
import type { ApiContext } from "./api.ts";

/** Streams do not count against the concurrency limit, because they mostly wait for the client or the database. */
const [TOTAL, PER_CALLER] = [100, 20];
const RETRY_AFTER_SECONDS = 10;

export function createStreamQuota(): ConcurrencyQuota {
  return createConcurrencyQuota({ what: "streams", total: TOTAL, perHolder: PER_CALLER });
}

/**
 * Takes one unit of the quota for the caller.
 *
 * @returns a function that releases it
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

/** Releases the request's slot of the concurrency limit while the service waits for the client. */
export function withoutSlot<T>(c: ApiContext, work: () => Promise<T>): Promise<T> {
  return c.var.slot?.without(work) ?? work();
}
