/** What the routes are made with. */
import type { LinkToExport } from "../actors/gdpr/exports/downloads.ts";
import type { Actors } from "../actors/commands.ts";
import type { Authenticator } from "../auth/principals.ts";
import type { Sql } from "../db/connect.ts";
import type { Lookups } from "../db/lookups.ts";
import type { BodyReader } from "../http/body_reader.ts";
import type { Limits } from "./limits.ts";

export interface RestOptions {
  actors: Actors;
  lookups: Lookups;
  /** A pool of the role customer_api, for reading. */
  sql: Sql;
  authenticate: Authenticator;
  exportLink: LinkToExport;
  limits: Limits;
  bodies: BodyReader;
  /** Fires when nothing new comes in any more: streams end then, and say that they are not whole. */
  closing: AbortSignal;
}
