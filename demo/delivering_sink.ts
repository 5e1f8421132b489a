/** Sink that also delivers events to the demo services in this process, for development without Kafka. */
import { getLogger } from "@logtape/logtape";
import { describeError } from "../lib/error_description.ts";
import type { Sink } from "../events/sink.ts";

/** @param deliver runs in the background, because it calls this service while the relay's transaction is open */
export function deliveringSink(
  sink: Sink,
  deliver: (topic: string, payload: Record<string, unknown>, traceparent?: string) => Promise<void>,
): Sink {
  const log = getLogger(["customer-service", "demo"]);
  return {
    async publish(rows, signal) {
      const refusals = await sink.publish(rows, signal);
      const refusedRows = new Set(refusals.flatMap(({ rows }) => rows));
      for (const { topic, payload, headers, eventId } of rows.filter((row) => !refusedRows.has(row))) {
        deliver(topic, payload, headers.traceparent).catch((error) =>
          log.warn("Cannot deliver event {eventId}: {reason}", { eventId, reason: describeError(error) })
        );
      }
      return refusals;
    },
    [Symbol.asyncDispose]: () => sink[Symbol.asyncDispose](),
  };
}
