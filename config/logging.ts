/** Where the log goes: lines of JSON in production, readable lines on a developer's screen. */
import { configure, dispose, getConsoleSink, getStreamSink, jsonLinesFormatter } from "@logtape/logtape";

/** The last lines are out once what it returns has been disposed of. */
export async function configureLogging(production: boolean): Promise<AsyncDisposable> {
  const sink = production
    ? getStreamSink(Deno.stdout.writable, { formatter: jsonLinesFormatter })
    : getConsoleSink();
  await configure({
    sinks: { log: sink },
    loggers: [
      { category: "customer-service", sinks: ["log"], lowestLevel: "info" },
      { category: ["logtape", "meta"], sinks: ["log"], lowestLevel: "warning" },
    ],
  });
  return { [Symbol.asyncDispose]: dispose };
}
