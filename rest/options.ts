/** Dependencies of the REST API. */
import type { LinkToExport } from "../actors/gdpr/exports/downloads.ts";
import type { Actors } from "../actors/commands.ts";
import type { Authenticator } from "../auth/principals.ts";
import type { AccessControl } from "./access_context.ts";
import type { Lookups } from "../db/lookups.ts";
import type { StoreReader } from "../db/store_reader.ts";
import type { BodyReader } from "../http/body_reader.ts";
import type { Limits } from "./limits.ts";

export interface RestOptions extends AccessControl {
  actors: Actors;
  lookups: Lookups;
  reader: StoreReader;
  authenticate: Authenticator;
  exportLink: LinkToExport;
  limits: Limits;
  bodies: BodyReader;
  /** Aborted when the service shuts down. Streams then end with an error line. */
  closing: AbortSignal;
  /** Token of the demo store's support, with which `/docs` opens, in development only. */
  demoToken?: (() => Promise<string>) | undefined;
}
