/** Captures the service's log for tests. */
import { configure, type LogRecord, reset } from "@logtape/logtape";

/** Captures all log lines from now on, with their properties. */
export async function captureLog(): Promise<{ lines: string[] } & AsyncDisposable> {
  const lines: string[] = [];
  const sink = ({ message, properties }: LogRecord) =>
    void lines.push(`${message.join("")} ${Deno.inspect(properties, { depth: 9 })}`);
  await configure({
    reset: true,
    sinks: { sink },
    loggers: [
      { category: "customer-service", sinks: ["sink"], lowestLevel: "trace" },
      { category: ["logtape", "meta"], lowestLevel: "error" },
    ],
  });
  return { lines, [Symbol.asyncDispose]: reset };
}
