/** How long is waited for what a client sends, and what becomes of a body that is one document. */
import { DomainError } from "../actors/errors.ts";

/** For a document of some kilobytes, however slow the network; in milliseconds. */
const BODY_LIMIT_MS = 10_000;

/**
 * Waits for the whole body, which is held to a size already, before anything else is done about the request, so that
 * who sends it slowly, or never, holds up nothing. From then on the request's own methods give it from memory: another
 * request made of the two would cost several times what the reading does.
 *
 * @returns whether there is one; an empty one is none
 * @throws {DomainError} INVALID_INPUT when the body does not arrive in time, breaks off, or is no UTF-8: that would be
 * stored with characters that nobody has written
 */
export async function arrival(request: Request, limitMs = BODY_LIMIT_MS): Promise<boolean> {
  if (request.body === null) return false;
  const whole = request.arrayBuffer().catch((cause) => {
    throw refusal("breaks off", cause);
  });
  const late = () => refusal(`has not arrived within ${limitMs / 1_000} seconds`);
  const bytes = await patiently(whole, limitMs, late);
  const text = read(bytes);
  Object.assign(request, {
    arrayBuffer: () => Promise.resolve(bytes),
    text: () => Promise.resolve(text),
    json: () => Promise.resolve(text).then(JSON.parse),
  });
  return text !== "";
}

function read(bytes: ArrayBuffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw refusal("is not UTF-8", cause);
  }
}

function refusal(reason: string, cause?: unknown): DomainError {
  return new DomainError("INVALID_INPUT", `Cannot take the request: its body ${reason}`, { cause });
}

/**
 * What `work` of a client comes to, if it does so in time.
 *
 * @throws `late` if it does not
 */
export async function patiently<T>(work: Promise<T>, limitMs: number, late: () => DomainError): Promise<T> {
  const silence = Promise.withResolvers<never>();
  const limit = setTimeout(() => silence.reject(late()), limitMs);
  try {
    return await Promise.race([work, silence.promise]);
  } finally {
    clearTimeout(limit);
  }
}
