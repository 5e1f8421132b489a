/** The service's log as a test sees it: every line of every part, with its properties. */
import { configure, type LogRecord, reset } from "@logtape/logtape";

/** Everything that the service logs from now on, with all that a log line carries beside its text. */
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
