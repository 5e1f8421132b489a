/** Errors of request bodies, and their HTTP statuses. */
import { DomainError } from "../domain/errors.ts";

/** Status of each fault. */
const STATUSES = {
  too_large: 413,
  too_slow: 400,
  fragmented: 400,
  incomplete: 400,
  not_utf8: 400,
  malformed: 400,
  unknown_coding: 415,
  evicted: 503,
} as const;

export type BodyFault = keyof typeof STATUSES;

/** A refused body. `reason` completes "its body …". */
export class BodyError extends DomainError {
  constructor(readonly fault: BodyFault, readonly reason: string, options?: ErrorOptions) {
    const code = fault === "evicted" ? "UNAVAILABLE" : "INVALID_INPUT";
    super(code, `Cannot read the request: its body ${reason}`, options);
  }

  get status() {
    return STATUSES[this.fault];
  }
}
