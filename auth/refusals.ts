/** Authentication errors, and the HTTP headers that go with them. */
import { DomainError } from "../domain/errors.ts";

/** The caller's token is not valid. The message quotes nothing of the token. */
export class InvalidTokenError extends DomainError {
  constructor(reason: string) {
    super("UNAUTHENTICATED", `Cannot accept the token: ${reason}`);
  }
}

/** The address has sent so many invalid tokens that no unknown token from it is checked for now. */
export class TooManyInvalidTokensError extends DomainError {
  constructor() {
    super(
      "RATE_LIMITED",
      "Cannot check more unknown tokens from this address: too many were invalid, try again in 5 s",
    );
  }
}

/** Retry-After of UNAVAILABLE and RATE_LIMITED, unless the response already has a more exact one. */
const RETRY_AFTER_SECONDS = 5;

/**
 * HTTP response headers of an error: for UNAUTHENTICATED the challenge of RFC 6750 section 3, with a reason only for
 * callers that sent a token; for UNAVAILABLE and RATE_LIMITED Retry-After.
 */
export function refusalHeaders(error: DomainError): Record<string, string> {
  if (error.code === "UNAVAILABLE" || error.code === "RATE_LIMITED") {
    return { "retry-after": String(RETRY_AFTER_SECONDS) };
  }
  if (error.code !== "UNAUTHENTICATED") return {};
  if (!(error instanceof InvalidTokenError)) return { "www-authenticate": "Bearer" };
  // Characters that a description may contain: RFC 6750 section 3.
  const description = error.message.replace(/[^\x20\x21\x23-\x5b\x5d-\x7e]/g, " ");
  return { "www-authenticate": `Bearer error="invalid_token", error_description="${description}"` };
}
