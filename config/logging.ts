/** Logging: JSON lines in production, readable lines in development. */
import {
  configure,
  defaultConsoleFormatter,
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
  const sink = production
    ? getStreamSink(Deno.stdout.writable, { formatter: formatLine })
    : getConsoleSink({ formatter: formatReadably });
  await configure({
    sinks: { log: sink },
    loggers: [
      { category: "customer-service", sinks: ["log"], lowestLevel },
      { category: ["logtape", "meta"], sinks: ["log"], lowestLevel: "warning" },
    ],
  });
  return { [Symbol.asyncDispose]: dispose };
}

/** Formats a line for a terminal. IDs and names are without the quotes that LogTape writes around strings. */
export function formatReadably(record: LogRecord): readonly unknown[] {
  const isPlain = (value: unknown) => typeof value === "string" && /^[\x20-\x24\x26-\x7e]*$/.test(value);
  const message = record.message.reduce<unknown[]>((parts, part, index) => {
    // Texts have even indexes, values odd ones; a plain value joins the texts around it.
    const joins = parts.length % 2 === 1 && (index % 2 === 0 || isPlain(part));
    return joins ? [...parts.slice(0, -1), `${parts.at(-1)}${part}`] : [...parts, part];
  }, []);
  return defaultConsoleFormatter({ ...record, message });
}

/** Formats a JSON line. Within a span it has the span's IDs, under OpenTelemetry's field names. */
function formatLine(record: LogRecord): string {
  const line = jsonLinesFormatter(record);
  const [, trace_id, span_id, trace_flags] = activeTraceparent()?.split("-") ?? [];
  if (trace_id === undefined) return line;
  return `${JSON.stringify({ ...JSON.parse(line), trace_id, span_id, trace_flags })}\n`;
}
