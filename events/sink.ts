/** Sink: the destination to which the relay publishes events. */
import type { OutboxRow } from "../db/outbox.ts";

export interface Sink extends AsyncDisposable {
  /**
   * Publishes rows in order and returns when all of them are stored. After a failure some may have been published; the
   * relay sends them again. Publishes nothing after the signal has aborted.
   *
   * @throws {UnpublishableError} some rows cannot be published by this version; no row of the batch was published
   */
  publish(rows: readonly OutboxRow[], signal: AbortSignal): Promise<void>;
}

/** Rows that this version cannot encode: the topic is unknown, or the payload does not match its schema. */
export class UnpublishableError extends Error {
  override name = "UnpublishableError";

  /** @param reasons by event ID; they name topics and types, never values of a payload */
  constructor(readonly reasons: ReadonlyMap<string, string>) {
    super(
      `Cannot publish ${[...reasons].map(([eventId, reason]) => `event ${eventId}: ${reason}`).join("; ")}`,
    );
  }
}
