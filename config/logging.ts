/** Logging: JSON lines in production, readable lines in development. */
import {
  configure,
  dispose,
  getConsoleSink,
  getStreamSink,
  jsonLinesFormatter,
  type LogRecord,
} from "@logtape/logtape";
import { activeTraceparent } from "../telemetry/spans.ts";

/** Configures the log. Disposing of the result flushes it. */
export async function configureLogging(production: boolean): Promise<AsyncDisposable> {
  const sink = production ? getStreamSink(Deno.stdout.writable, { formatter: formatLine }) : getConsoleSink();
  await configure({
    sinks: { log: sink },
    loggers: [
      { category: "customer-service", sinks: ["log"], lowestLevel: "info" },
      { category: ["logtape", "meta"], sinks: ["log"], lowestLevel: "warning" },
    ],
  });
  return { [Symbol.asyncDispose]: dispose };
}

/** Formats a JSON line. Within a span it has the span's IDs, under OpenTelemetry's field names. */
function formatLine(record: LogRecord): string {
  const line = jsonLinesFormatter(record);
  const [, trace_id, span_id, trace_flags] = activeTraceparent()?.split("-") ?? [];
  if (trace_id === undefined) return line;
  return `${JSON.stringify({ ...JSON.parse(line), trace_id, span_id, trace_flags })}\n`;
}
