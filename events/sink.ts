/** Sink: the destination to which the relay publishes events. */
import type { OutboxRow } from "../db/outbox.ts";

export interface Sink extends AsyncDisposable {
  /**
   * Publishes rows, in order for each topic and key. Returns when each row is either stored or refused. The rows that no
   * refusal names are stored; the relay sends the others again, so a row whose storage is uncertain counts as refused.
   * A refused row also refuses the later rows of its topic and key. Publishes nothing after the signal has aborted.
   */
  publish(rows: readonly OutboxRow[], signal: AbortSignal): Promise<PublishRefusal[]>;
}

/** Rows that were not published, for one reason. */
export interface PublishRefusal {
  topic: string;
  rows: readonly OutboxRow[];
  /**
   * `topic`: the broker refuses the topic or a partition of it, or cannot be reached. `row`: this version cannot encode
   * the first of the rows, and the others follow it under the same key.
   */
  scope: "topic" | "row";
  /** Text for the log. It names topics and types, never values of a payload. */
  reason: string;
}
