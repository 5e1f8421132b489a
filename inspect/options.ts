/** Dependencies of the inspector and of its pages. */
import type { MiddlewareHandler } from "@hono/hono";
import type { ExportDownloads, LinkToExport } from "../actors/gdpr/exports/downloads.ts";
import type { ReceiptFile } from "../actors/gdpr/receipts/file.ts";
import type { AuditLog } from "../actors/audit_log.ts";
import type { RefusalLog } from "../actors/refusal_log.ts";
import type { Contact } from "../actors/gdpr/requests/subject.ts";
import type { RequestKey } from "../actors/gdpr/types.ts";
import type { Actors } from "../actors/commands.ts";
import type { GuestKey } from "../db/guests.ts";
import type { Lookups } from "../db/lookups.ts";
import type { StoreReader } from "../db/store_reader.ts";
import type { ServicesOfReaders } from "../domain/processing.ts";
import type { Charts } from "./chart/mod.tsx";
import type { Live } from "./live.ts";
import type { SignInOptions } from "./sign_in.tsx";

export interface InspectorOptions extends SignInOptions {
  actors: Actors;
  lookups: Lookups;
  reader: StoreReader;
  audit: AuditLog;
  refusals: RefusalLog;
  exportLink: LinkToExport;
  downloads: ExportDownloads;
  /** Finds the signed receipt of an erasure request. */
  exportReceipt(key: RequestKey): Promise<ReceiptFile | undefined>;
  /** Finds the contact data of a person without an account; undefined once they are destroyed. */
  findContact(guest: GuestKey): Promise<Contact | undefined>;
  /** Keyed hashes of an email, which find guests and erased persons. */
  hashEmail(email: string): Uint8Array[];
  /** Names of the participants whose URL is not configured. */
  participantsWithoutUrl(): readonly string[];
  /** The services that take part in requests by configuration. */
  participants: readonly string[];
  /** Names of the services that may read customers. */
  services: ServicesOfReaders;
  /** Whether an access document requires the controller and the data protection contact of the store. */
  requiresController: boolean;
  /** Whether the database was restored from a backup and lacks erasures. */
  restored?: () => boolean;
  /** Load shedding: admits an HTTP request or refuses it as overload. */
  admit: MiddlewareHandler;
}

/** Dependencies of the pages. */
export interface Pages extends
  Pick<
    InspectorOptions,
    | "actors"
    | "lookups"
    | "reader"
    | "exportLink"
    | "downloads"
    | "exportReceipt"
    | "findContact"
    | "hashEmail"
    | "participantsWithoutUrl"
    | "audit"
    | "participants"
    | "services"
    | "requiresController"
    | "restored"
  > {
  charts: Charts;
  live: Live;
}
