/** Findings of checks: which promise was broken, and where. */

/** What is promised; a column of the table. */
export const PROMISES = [
  "durable, once",
  "reads",
  "order, outbox = Kafka",
  "GDPR course",
  "readyz",
  "recovery",
  "evidence",
] as const;

/** Names of the checks. */
export const CHECKS = [
  "accepted and lost",
  "applied twice",
  "refused and applied",
  "answered another change",
  "answered an older change when repeated",
  "versions without a gap",
  "no invented change",
  "the row has the last write",
  "one audit event for each change",
  "dated by PostgreSQL",
  "no unexpected error",
  "stale",
  "foreign or uncommitted",
  "no erased person",
  "every event is published",
  "no topic delays another",
  "no event is lost",
  "no event is invented",
  "no event is changed",
  "order within an actor",
  "no request is stuck",
  "no request is falsely done",
  "no erasure before its grace ends",
  "customer.erased exactly once",
  "one receipt each",
  "receipts verify",
  "no erased value",
  "no due work is left",
  "each record once in a document",
  "readyz is true",
  "orderly end",
  "recovery",
  "enough was tried",
] as const;

export type Check = typeof CHECKS[number];

export interface Finding {
  promise: typeof PROMISES[number];
  check: Check;
  message: string;
  /** When it happened, if that is known. */
  at?: number;
  /** What to print the details of. */
  operationId?: number;
  customerId?: string;
  requestId?: string;
}
