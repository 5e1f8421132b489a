/** Where the relay brings events to. */
import type { OutboxRow } from "../db/outbox.ts";

export interface Sink extends AsyncDisposable {
  /**
   * Publishes rows in their order and returns when all of them are safe. When it fails some of them may have
   * been published: they come again. Nothing is published any more once the signal has fired.
   *
   * @throws {UnpublishableError} some rows never can be; none of the batch has been published
   */
  publish(rows: readonly OutboxRow[], signal: AbortSignal): Promise<void>;
}

/** Rows that this version cannot make an event of: a topic that it does not know, a payload that does not fit. */
export class UnpublishableError extends Error {
  override name = "UnpublishableError";

  /** @param reasons by event id; they name topics and types, nothing out of a payload */
  constructor(readonly reasons: ReadonlyMap<string, string>) {
    super(
      `Cannot publish ${[...reasons].map(([eventId, reason]) => `event ${eventId}: ${reason}`).join("; ")}`,
    );
  }
}
