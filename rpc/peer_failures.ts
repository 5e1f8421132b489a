/** What went wrong with a peer, in our words: what it has sent, status texts included, may be somebody's data. */
import { status } from "@grpc/grpc-js";
import { PeerError } from "../actors/gdpr/vocabulary.ts";
import { InvalidRecord } from "./peer_records.ts";

/** The next record has not come in its time. */
export class RecordOverdue extends Error {
  override name = "RecordOverdue";

  constructor(readonly limitMs: number) {
    super();
  }
}

/** Something else answers at the peer's URL; read as gRPC, its page looks like a message of a gigabyte. */
export class NoGrpc extends Error {
  override name = "NoGrpc";
}

/** Answers to the question as such: the same one is answered the same again. */
const REFUSALS = new Set([
  status.INVALID_ARGUMENT,
  status.NOT_FOUND,
  status.ALREADY_EXISTS,
  status.PERMISSION_DENIED,
  status.RESOURCE_EXHAUSTED,
  status.FAILED_PRECONDITION,
  status.OUT_OF_RANGE,
  status.UNIMPLEMENTED,
  status.UNAUTHENTICATED,
]);

/** How grpc-js, which gives it no status of its own, tells of a message over the limit. */
const TOO_LARGE = /^Received message (larger than max|that decompresses to a size larger than)/;

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
  if (error instanceof NoGrpc) return failed("UNREACHABLE", "what answers at its URL speaks no gRPC");
  if (!isStatus(error)) return error;
  const { code, details } = error;
  if (code === status.DEADLINE_EXCEEDED) return failed("TIMEOUT", "it has not finished in time");
  if (code === status.RESOURCE_EXHAUSTED && TOO_LARGE.test(details)) {
    return failed("TOO_MUCH_DATA", "a record is over the limit");
  }
  const answered = `it has answered ${status[code] ?? "an unknown status"}`;
  return failed(REFUSALS.has(code) ? "REFUSED" : "UNREACHABLE", answered);
}

/** The name of the status that a call has ended with; CANCELLED where it was ended here. */
export function statusName(error: unknown): string {
  return isStatus(error) ? status[error.code] : "CANCELLED";
}

function isStatus(error: unknown): error is { code: status; details: string } {
  return error instanceof Error && "code" in error && "details" in error && typeof error.code === "number";
}
