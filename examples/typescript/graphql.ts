/** GraphQL client of the storefront. Environment: GRAPHQL_URL (the router's), SHOPPER_TOKEN. */
import process from "node:process";
import { send } from "./send.ts";

interface Answer<T> {
  data?: T | null;
  errors?: { message: string; extensions: { code: string } }[];
}

/** A refused operation. The code is for the program; show the shopper a text of your own. */
export class Refused extends Error {
  constructor(readonly code: string, message: string) {
    super(`${code}: ${message}`);
  }
}

/**
 * Sends an operation with one field.
 *
 * @throws {Refused} the field has an error
 */
export async function ask<T>(query: string, variables: object = {}): Promise<T> {
  const request: RequestInit = {
    method: "POST", // GET is refused, since URLs are logged
    headers: {
      "content-type": "application/json",
      authorization: `Bearer ${process.env.SHOPPER_TOKEN}`,
      "idempotency-key": crypto.randomUUID(), // the same for each attempt: a change is carried out once
    },
    body: JSON.stringify({ query, variables }),
  };
  // A shopper is waiting: what takes longer than this is "try again later".
  const response = await send(new URL(process.env.GRAPHQL_URL!), request, {
    timeoutMs: 5_000,
    patienceMs: 2_000,
  });
  if (response.status >= 500) throw new Refused("UNAVAILABLE", `HTTP status ${response.status}`);
  const { data, errors: [error] = [] }: Answer<T> = await response.json();
  if (error) throw new Refused(error.extensions.code, error.message);
  if (!data) throw new Refused("UNAVAILABLE", "The answer has no data");
  return data;
}
