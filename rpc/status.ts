/** Conversion of domain errors into gRPC statuses. */
import { getLogger } from "@logtape/logtape";
import type { ErrorCode, FieldError } from "../domain/errors.ts";
import { asDomainError } from "../db/errors.ts";
import { describeError } from "../lib/error_description.ts";
import { type FieldViolation, GrpcError, type StatusName } from "../grpc/mod.ts";

const log = getLogger(["customer-service", "rpc"]);

const STATUSES: Record<ErrorCode, StatusName> = {
  INVALID_INPUT: "INVALID_ARGUMENT",
  UNAUTHENTICATED: "UNAUTHENTICATED",
  FORBIDDEN: "PERMISSION_DENIED",
  RECENT_SIGN_IN_REQUIRED: "PERMISSION_DENIED",
  NOT_FOUND: "NOT_FOUND",
  ALREADY_EXISTS: "ALREADY_EXISTS",
  REFUSED_IN_STATE: "FAILED_PRECONDITION",
  CONFLICT: "ABORTED",
  RATE_LIMITED: "RESOURCE_EXHAUSTED",
  UNAVAILABLE: "UNAVAILABLE",
};

/**
 * `domain` of every `google.rpc.ErrorInfo`. Its `reason` is the ErrorCode, or the status of an error that has none, such
 * as a request over the size limit. Its `metadata` has the `trace_id` of the call.
 */
export const ERROR_DOMAIN = "customer-service";

/**
 * Returns the error that a caller sees. An unexpected error is logged here, and sent without its detail.
 *
 * @param method its name, or its path
 * @param traceId of the call; absent for errors of the transport
 */
export function toGrpcError(error: unknown, method: string, traceId?: string): GrpcError {
  if (error instanceof GrpcError) return error;
  const trace = traceId === undefined ? {} : { metadata: { trace_id: traceId } };
  const expected = asDomainError(error);
  if (expected) {
    return new GrpcError(STATUSES[expected.code], expected.message, {
      cause: error,
      info: { reason: expected.code, domain: ERROR_DOMAIN, ...trace },
      fieldViolations: expected.fields.map(violationOf),
    });
  }
  const name = method.slice(method.lastIndexOf("/") + 1);
  log.error("{method} failed: {error}", { method: name, error: describeError(error), traceId });
  return new GrpcError("INTERNAL", "Internal error", {
    info: { reason: "INTERNAL", domain: ERROR_DOMAIN, ...trace },
  });
}

function violationOf({ field, message }: FieldError): FieldViolation {
  return { field, description: message };
}
