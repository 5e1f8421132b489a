/** Batches a participant's records by count, size and time, for one transaction each. */
import type { Delivery } from "../types.ts";
import { withTimeout } from "../../../lib/timeout.ts";

export interface BatchLimits {
  records: number;
  /** Total length of the records as JSON, in characters. */
  size: number;
  /** Maximum time that a record waits for further ones, in milliseconds. */
  waitMs: number;
}

export const BATCH_LIMITS: BatchLimits = { records: 500, size: 256 * 1024, waitMs: 1_000 };

/**
 * Yields non-empty batches: each has reached a limit, or no further record has result in time. If `deliveries`
 * fails, yields the records before the failure and then throws it.
 *
 * Ending the iteration early does not wait for `deliveries`: the caller has to abort it.
 */
export async function* inBatches(
  deliveries: AsyncIterable<Delivery>,
  limits: BatchLimits = BATCH_LIMITS,
): AsyncGenerator<Delivery[]> {
  const iterator = deliveries[Symbol.asyncIterator]();
  let batch: Delivery[] = [];
  let size = 0;
  let dueAt = 0;
  const flush = () => {
    const records = batch;
    [batch, size] = [[], 0];
    return records;
  };
  const requestNext = () => {
    const result = iterator.next();
    result.catch(() => {}); // it may reject while the reader processes a batch, before anything awaits it
    return result;
  };
  try {
    let next = requestNext();
    while (true) {
      const result = batch.length === 0
        ? await next
        : await withTimeout(next, Math.max(0, dueAt - Date.now()), () => undefined);
      if (!result) {
        yield flush();
        continue;
      }
      if (result.done) break;
      if (batch.push(result.value) === 1) dueAt = Date.now() + limits.waitMs;
      size += JSON.stringify(result.value.record).length;
      next = requestNext();
      if (batch.length >= limits.records || size >= limits.size) yield flush();
    }
  } catch (error) {
    if (batch.length > 0) yield flush();
    throw error;
  } finally {
    iterator.return?.().catch(() => {});
  }
  if (batch.length > 0) yield flush();
}
