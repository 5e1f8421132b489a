/** Where the log goes: lines of JSON in production, readable lines on a developer's screen. */
import {
  configure,
  dispose,
  getConsoleSink,
  getStreamSink,
  jsonLinesFormatter,
  type LogRecord,
} from "@logtape/logtape";
import { activeTraceparent } from "../telemetry/spans.ts";

/** The last lines are out once what it returns has been disposed of. */
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

/** A line of JSON; within a span with its ids, under the names that OpenTelemetry has for them in such lines. */
function formatLine(record: LogRecord): string {
  const line = jsonLinesFormatter(record);
  const [, trace_id, span_id, trace_flags] = activeTraceparent()?.split("-") ?? [];
  if (trace_id === undefined) return line;
  return `${JSON.stringify({ ...JSON.parse(line), trace_id, span_id, trace_flags })}\n`;
}
