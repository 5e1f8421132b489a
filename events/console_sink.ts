/** Console sink: logs one line per event when no broker is configured. The rows stay in the outbox. */
import { getLogger } from "@logtape/logtape";
import type { Sink } from "./sink.ts";

export function consoleSink(): Sink {
  const log = getLogger(["customer-service", "events"]);
  return {
    publish(rows) {
      for (const { topic, key, eventId, payload } of rows) {
        const { action, changedFields } = payload;
        const fields = Array.isArray(changedFields) ? changedFields.join(", ") : "";
        const what = typeof action === "string" ? "{topic} {action} {key}" : "{topic} {key}";
        log.info(fields ? `${what}: {fields}` : what, { topic, action, key, fields, eventId });
      }
      return Promise.resolve([]);
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
