/** Where the log goes: lines of JSON in production, readable lines on a developer's screen. */
import { configure, getConsoleSink, getStreamSink, jsonLinesFormatter } from "@logtape/logtape";

export async function configureLogging(production: boolean): Promise<void> {
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
}
