/** The Customer API and administration over HTTP, for services and staff. */
import { HTTPException } from "@hono/hono/http-exception";
import type { Actors } from "../actors/protocol.ts";
import type { Authenticator } from "../auth/principals.ts";
import type { Sql } from "../db/connect.ts";
import type { Lookups } from "../db/lookups.ts";
import { type Api, authenticated, createApi } from "./api.ts";
import { createCustomers } from "./customers/mod.ts";
import { answerOf } from "./errors.ts";

export interface RestOptions {
  actors: Actors;
  lookups: Lookups;
  /** A pool of the role customer_api, for reading. */
  sql: Sql;
  authenticate: Authenticator;
}

/** An app to mount at `/`: it answers for its own paths only. */
export function createRest(options: RestOptions): Api {
  const api = createApi();
  api.onError((error, c) => {
    const { status, body } = error instanceof HTTPException ? answerOfHttp(error) : answerOf(error);
    if (status === 401) c.header("www-authenticate", "Bearer");
    return c.json(body, status);
  });
  const known = authenticated(options.authenticate);
  for (const path of ["/customers", "/customers/*"]) api.use(path, known);
  return api.route("/", createCustomers(options));
}

/** What Hono itself refuses: JSON that cannot be read, another content type. */
function answerOfHttp({ status, message }: HTTPException) {
  const body = { code: "INVALID_INPUT", message: `Cannot take the request: ${message}` } as const;
  return { status, body };
}
