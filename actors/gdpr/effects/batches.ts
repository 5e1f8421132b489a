/** Gathers what a source delivers into transactions of a reasonable size. */
import type { Delivery } from "../vocabulary.ts";
import { withTimeout } from "../../../lib/timeout.ts";

export interface BatchLimits {
  records: number;
  /** Characters of the records as JSON. */
  size: number;
  /** How long a record may wait for others, in milliseconds. */
  waitMs: number;
}

export const BATCH_LIMITS: BatchLimits = { records: 500, size: 256 * 1024, waitMs: 1_000 };

/**
 * Batches of at least one, a limit of which is reached or behind which nothing comes for now. When the source
 * fails, what has come before the failure is a batch, and then the failure is thrown.
 *
 * Leaving early does not wait for the source: whoever leaves has to end it.
 */
export async function* inBatches(
  deliveries: AsyncIterable<Delivery>,
  limits: BatchLimits = BATCH_LIMITS,
): AsyncGenerator<Delivery[]> {
  const source = deliveries[Symbol.asyncIterator]();
  let batch: Delivery[] = [];
  let size = 0;
  let dueAt = 0;
  const take = () => {
    const taken = batch;
    [batch, size] = [[], 0];
    return taken;
  };
  const ask = () => {
    const asked = source.next();
    asked.catch(() => {}); // it may fail while a batch is with the reader
    return asked;
  };
  try {
    let next = ask();
    while (true) {
      const arrived = batch.length === 0
        ? await next
        : await withTimeout(next, Math.max(0, dueAt - Date.now()), () => undefined);
      if (!arrived) {
        yield take();
        continue;
      }
      if (arrived.done) break;
      if (batch.push(arrived.value) === 1) dueAt = Date.now() + limits.waitMs;
      size += JSON.stringify(arrived.value.record).length;
      next = ask();
      if (batch.length >= limits.records || size >= limits.size) yield take();
    }
  } catch (error) {
    if (batch.length > 0) yield take();
    throw error;
  } finally {
    source.return?.().catch(() => {});
  }
  if (batch.length > 0) yield take();
}
