/** Refusals of callers, and what HTTP edges say about them in headers. */
import { DomainError } from "../domain/errors.ts";

/** The caller has shown a token, and it is not valid. The message quotes nothing of the token. */
export class InvalidTokenError extends DomainError {
  constructor(reason: string) {
    super("UNAUTHENTICATED", `Cannot accept the token: ${reason}`);
  }
}

/** How soon a caller may repeat what cannot be answered at the moment. */
const RETRY_AFTER_SECONDS = 5;

/**
 * Headers that go with a refusal over HTTP: the challenge of RFC 6750 section 3 for UNAUTHENTICATED, which gives a
 * reason only to callers that have shown a token; Retry-After for UNAVAILABLE.
 */
export function refusalHeaders(error: DomainError): Record<string, string> {
  if (error.code === "UNAVAILABLE") return { "retry-after": String(RETRY_AFTER_SECONDS) };
  if (error.code !== "UNAUTHENTICATED") return {};
  if (!(error instanceof InvalidTokenError)) return { "www-authenticate": "Bearer" };
  // What a quoted description may have: RFC 6750 section 3.
  const description = error.message.replace(/[^\x20\x21\x23-\x5b\x5d-\x7e]/g, " ");
  return { "www-authenticate": `Bearer error="invalid_token", error_description="${description}"` };
}
