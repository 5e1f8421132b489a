/** Delays the process exit while a metrics export is about to begin, which would deadlock. */
import { metrics } from "@opentelemetry/api";
import { pause } from "../lib/timeout.ts";
import { isMetering } from "./metrics.ts";

const DEFAULT_INTERVAL_MS = 60_000;
/** Time for the export of the last spans. */
const FLUSH_MS = 3_000;

/**
 * Deno 2.9.3 reads observed values on the event loop at each export of metrics. An exiting process blocks that loop
 * until everything is exported, so an export that begins then waits forever.
 *
 * @param interval OTEL_METRIC_EXPORT_INTERVAL, milliseconds in digits
 * @returns a function that waits, if necessary, until no export of metrics is about to begin
 */
export function awaitExports(interval: string | undefined): () => Promise<void> {
  if (!isMetering) return () => Promise.resolve();
  const intervalMs = Number(interval) || DEFAULT_INTERVAL_MS;
  let last = 0; // about when Deno started its interval
  metrics.getMeter("customer-service").addBatchObservableCallback(() => {
    last = performance.now();
  }, []);
  return async () => {
    const untilNext = intervalMs - (performance.now() - last) % intervalMs;
    if (untilNext < FLUSH_MS) await pause(untilNext + 100);
  };
}
