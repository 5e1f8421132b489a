/** How long is waited for what a client sends, and what becomes of a body that is one document. */
import { DomainError } from "../actors/errors.ts";

/** For a document of some kilobytes, however slow the network; in milliseconds. */
const BODY_LIMIT_MS = 10_000;

/**
 * The request with its whole body here, which is held to a size already; an empty one is none. To be had before
 * anything is done about the request, so that who sends it slowly, or never, holds up nothing.
 *
 * @throws {DomainError} INVALID_INPUT when the body does not arrive in time, breaks off, or is no UTF-8: that would be
 * stored with characters that nobody has written
 */
export async function arrived(request: Request, limitMs = BODY_LIMIT_MS): Promise<Request> {
  if (request.body === null) return request;
  const whole = request.bytes().catch((cause) => {
    throw refusal("breaks off", cause);
  });
  const late = refusal(`has not arrived within ${limitMs / 1_000} seconds`);
  const body = await patiently(whole, limitMs, late);
  const { url, method, headers, signal } = request;
  if (body.length === 0) return new Request(url, { method, headers, signal });
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(body);
  } catch (cause) {
    throw refusal("is not UTF-8", cause);
  }
  return new Request(request, { body });
}

function refusal(reason: string, cause?: unknown): DomainError {
  return new DomainError("INVALID_INPUT", `Cannot take the request: its body ${reason}`, { cause });
}

/**
 * What `work` of a client comes to, if it does so in time.
 *
 * @throws `late` if it does not
 */
export async function patiently<T>(work: Promise<T>, limitMs: number, late: DomainError): Promise<T> {
  const silence = Promise.withResolvers<never>();
  const limit = setTimeout(() => silence.reject(late), limitMs);
  try {
    return await Promise.race([work, silence.promise]);
  } finally {
    clearTimeout(limit);
  }
}
