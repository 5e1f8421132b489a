/** A moment in which the process may end while telemetry is exported. */
import { metrics } from "@opentelemetry/api";
import { pause } from "../lib/timeout.ts";
import { metering } from "./metrics.ts";

const DEFAULT_INTERVAL_MS = 60_000;
/** How long the last spans may take to be exported. */
const FLUSH_MS = 3_000;

/**
 * Deno 2.9.3 asks the event loop for the observed values at each export of metrics. When it does so in a process that
 * is ending, which blocks that loop until everything is exported, each waits for the other for ever.
 *
 * @param interval OTEL_METRIC_EXPORT_INTERVAL, milliseconds in digits
 * @returns what waits, if need be, until an export of metrics is not about to begin
 */
export function watchExports(interval: string | undefined): () => Promise<void> {
  if (!metering) return () => Promise.resolve();
  const intervalMs = Number(interval) || DEFAULT_INTERVAL_MS;
  let last = 0; // about when Deno began to count
  metrics.getMeter("customer-service").addBatchObservableCallback(() => {
    last = performance.now();
  }, []);
  return async () => {
    const untilNext = intervalMs - (performance.now() - last) % intervalMs;
    if (untilNext < FLUSH_MS) await pause(untilNext + 100);
  };
}
