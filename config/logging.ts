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

export const LOG_LEVELS = ["debug", "info", "warning", "error"] as const;
const DEFAULT_LEVEL = "info";

/**
 * Configures the log. Disposing of the result flushes it.
 *
 * @param level one of LOG_LEVELS; with any other value the default applies, and the configuration reports it
 */
export async function configureLogging(
  production: boolean,
  level: string = DEFAULT_LEVEL,
): Promise<AsyncDisposable> {
  const lowestLevel = LOG_LEVELS.find((known) => known === level) ?? DEFAULT_LEVEL;
  const sink = production ? getStreamSink(Deno.stdout.writable, { formatter: formatLine }) : getConsoleSink();
  await configure({
    sinks: { log: sink },
    loggers: [
      { category: "customer-service", sinks: ["log"], lowestLevel },
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
