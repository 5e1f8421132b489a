/** How the domain's errors are told over gRPC. */
import { status } from "@grpc/grpc-js";
import { getLogger } from "@logtape/logtape";
import { asDomainError, type ErrorCode } from "../actors/errors.ts";
import { describeError } from "../db/errors.ts";

const log = getLogger(["customer-service", "rpc"]);

const STATUSES: Record<ErrorCode, status> = {
  INVALID_INPUT: status.INVALID_ARGUMENT,
  UNAUTHENTICATED: status.UNAUTHENTICATED,
  FORBIDDEN: status.PERMISSION_DENIED,
  NOT_FOUND: status.NOT_FOUND,
  ALREADY_EXISTS: status.ALREADY_EXISTS,
  REFUSED_IN_STATE: status.FAILED_PRECONDITION,
  CONFLICT: status.ABORTED,
  RATE_LIMITED: status.RESOURCE_EXHAUSTED,
  UNAVAILABLE: status.UNAVAILABLE,
};

/** What a caller is told of an error. One that no caller may expect is logged here, and told without its detail. */
export function statusOf(error: unknown, method: string): { code: status; details: string } {
  const expected = asDomainError(error);
  if (expected) return { code: STATUSES[expected.code], details: expected.message };
  log.error("{method} failed: {error}", { method, error: describeError(error) });
  return { code: status.INTERNAL, details: "Internal error" };
}
