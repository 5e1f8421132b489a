/** Captures the log of events. */
import { configure, type LogRecord, reset } from "@logtape/logtape";

export interface Lines extends AsyncDisposable {
  /** `level message` each, from info upwards. */
  lines: string[];
}

export async function captureLog(): Promise<Lines> {
  const lines: string[] = [];
  await configure({
    reset: true,
    sinks: { lines: (record: LogRecord) => void lines.push(`${record.level} ${record.message.join("")}`) },
    loggers: [
      { category: ["customer-service", "events"], sinks: ["lines"], lowestLevel: "info" },
      { category: ["logtape", "meta"], lowestLevel: "error" },
    ],
  });
  return { lines, [Symbol.asyncDispose]: reset };
}
