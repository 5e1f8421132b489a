/** Console sink: logs one line per event when no broker is configured. The rows stay in the outbox. */
import { getLogger } from "@logtape/logtape";
import type { Sink } from "./sink.ts";

export function consoleSink(): Sink {
  const log = getLogger(["customer-service", "events"]);
  return {
    publish(rows) {
      for (const { topic, key, eventId, payload } of rows) {
        const fields = Array.isArray(payload.changedFields) ? payload.changedFields.join(", ") : "";
        log.info(fields ? "{topic} {key}: {fields} (event {eventId})" : "{topic} {key} (event {eventId})", {
          topic,
          key,
          fields,
          eventId,
        });
      }
      return Promise.resolve([]);
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
