/** What went wrong with a peer, in our words: what it has sent, status texts included, may be somebody's data. */
import { PeerError } from "../actors/gdpr/vocabulary.ts";
import { GrpcError, MessageTooLargeError, NotGrpcError, type StatusName } from "../grpc/mod.ts";
import { InvalidRecord } from "./peer_records.ts";

/** The next record has not come in its time. */
export class RecordOverdue extends Error {
  override name = "RecordOverdue";

  constructor(readonly limitMs: number) {
    super();
  }
}

/** Answers to the question as such: the same one is answered the same again. */
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

/** Anything but what belongs to a call with a peer is passed through. */
export function failureOf(service: string, error: unknown): unknown {
  const failed = (reason: PeerError["reason"], why: string) =>
    new PeerError(reason, `Cannot collect from ${service}: ${why}`);
  if (error instanceof InvalidRecord) {
    return failed("INVALID_DATA", `a record is not valid: ${error.message}`);
  }
  if (error instanceof RecordOverdue) {
    return failed("TIMEOUT", `no record has come within ${error.limitMs} ms`);
  }
  if (error instanceof NotGrpcError) {
    return failed("UNREACHABLE", "the server at its URL does not speak gRPC");
  }
  if (error instanceof MessageTooLargeError) return failed("TOO_MUCH_DATA", "a record is over the limit");
  if (!(error instanceof GrpcError)) return error;
  const { status } = error;
  if (status === "DEADLINE_EXCEEDED") return failed("TIMEOUT", "it has not finished in time");
  return failed(REFUSALS.has(status) ? "REFUSED" : "UNREACHABLE", `it has answered ${status}`);
}

/** The status that a call has ended with; CANCELLED where it was ended here. */
export function statusOf(error: unknown): StatusName {
  return error instanceof GrpcError ? error.status : "CANCELLED";
}
