/** REST client of staff tools. Environment: REST_URL, STAFF_TOKEN. */
import process from "node:process";
import { send } from "./send.ts";

/** A refused request. The message names IDs and fields, never a personal value, so staff may read it. */
export class Refused extends Error {
  constructor(readonly status: number, readonly code: string, message: string) {
    super(`${code}: ${message}`);
  }
}

export interface Call {
  method?: "POST" | "PATCH" | "PUT" | "DELETE";
  headers?: Record<string, string>;
  body?: unknown;
}

/**
 * Sends a request of one store, that of the token.
 *
 * @throws {Refused} the status is not 2xx
 */
export async function call<T>(path: string, { method, headers, body }: Call = {}) {
  const response = await send(new URL(path, process.env.REST_URL), {
    method: method ?? "GET",
    headers: {
      authorization: `Bearer ${process.env.STAFF_TOKEN}`,
      ...body === undefined ? {} : { "content-type": "application/json" },
      // The same for each attempt: a change is carried out once.
      ...method === undefined ? {} : { "idempotency-key": crypto.randomUUID() },
      ...headers,
    },
    ...body === undefined ? {} : { body: JSON.stringify(body) },
  }, { timeoutMs: 10_000, patienceMs: 60_000 });
  if (!response.ok) await refuse(response);
  return { etag: response.headers.get("etag") ?? "", body: await response.json() as T };
}

/** Throws the error that a response carries. */
export async function refuse(response: Response): Promise<never> {
  const { code, message } = await response.json();
  throw new Refused(response.status, code, message);
}
