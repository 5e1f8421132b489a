/**
 * Failures of calls to participants, in fixed words: everything that they send, status texts included, may be
 * personal.
 */
import { ForeignDataError, ParticipantError } from "../actors/gdpr/types.ts";
import { GrpcError, MessageTooLargeError, NotGrpcError, type StatusName } from "../grpc/mod.ts";
import { ForeignRecord, InvalidRecord } from "./peer_records.ts";

/** Timeout: the next record has not arrived in time. */
export class RecordOverdue extends Error {
  override name = "RecordOverdue";

  constructor(readonly limitMs: number) {
    super();
  }
}

/** Statuses that a retry of the same call would return again. */
const REFUSALS: ReadonlySet<StatusName> = new Set([
  "INVALID_ARGUMENT",
  "NOT_FOUND",
  "ALREADY_EXISTS",
  "PERMISSION_DENIED",
  "RESOURCE_EXHAUSTED",
  "FAILED_PRECONDITION",
  "OUT_OF_RANGE",
  "UNIMPLEMENTED",
  "UNAUTHENTICATED",
]);

/** Converts a failure of a call; every other error is returned unchanged. */
export function failureOf(service: string, error: unknown): unknown {
  const failed = (reason: ParticipantError["reason"], why: string) =>
    new ParticipantError(reason, `Cannot collect from ${service}: ${why}`);
  if (error instanceof ForeignRecord) {
    return new ForeignDataError(`Cannot collect from ${service}: a record is not valid: ${error.message}`);
  }
  if (error instanceof InvalidRecord) {
    return failed("INVALID_DATA", `a record is not valid: ${error.message}`);
  }
  if (error instanceof RecordOverdue) {
    return failed("TIMEOUT", `no record has come within ${error.limitMs} ms`);
  }
  if (error instanceof NotGrpcError) {
    return failed("UNREACHABLE", "the server at its URL does not speak gRPC");
  }
  if (error instanceof MessageTooLargeError) return failed("TOO_MUCH_DATA", "a record exceeds the limit");
  if (!(error instanceof GrpcError)) return error;
  const { status } = error;
  if (status === "DEADLINE_EXCEEDED") return failed("TIMEOUT", "it did not finish in time");
  return failed(REFUSALS.has(status) ? "REFUSED" : "UNREACHABLE", `it has answered ${status}`);
}

/** Returns the status of a call; CANCELLED where this side ended it. */
export function statusOf(error: unknown): StatusName {
  return error instanceof GrpcError ? error.status : "CANCELLED";
}
