/** HTTP statuses of the domain's errors, for REST and the inspector; GraphQL answers with codes instead. */
import type { ErrorCode } from "../domain/errors.ts";

export const STATUSES = {
  INVALID_INPUT: 400,
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  RECENT_SIGN_IN_REQUIRED: 403,
  NOT_FOUND: 404,
  ALREADY_EXISTS: 409,
  REFUSED_IN_STATE: 409,
  CONFLICT: 412,
  RATE_LIMITED: 429,
  UNAVAILABLE: 503,
} as const satisfies Record<ErrorCode, number>;
