/** What the inspector is made with. */
import type { MiddlewareHandler } from "@hono/hono";
import type { ExportDownloads, LinkToExport } from "../actors/gdpr/exports/downloads.ts";
import type { ReceiptFile } from "../actors/gdpr/receipts/file.ts";
import type { AuditLog } from "../actors/audit_log.ts";
import type { RefusalLog } from "../actors/refusal_log.ts";
import type { RequestKey } from "../actors/gdpr/vocabulary.ts";
import type { Actors } from "../actors/commands.ts";
import type { Lookups } from "../db/lookups.ts";
import type { StoreReader } from "../db/store_reader.ts";
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
  /** The receipt of a request; undefined where there is none. */
  exportReceipt(key: RequestKey): Promise<ReceiptFile | undefined>;
  /** Lets a request in, or refuses it, once its form is there. */
  admit: MiddlewareHandler;
}

/** What the pages are made with. */
export interface Pages extends
  Pick<
    InspectorOptions,
    "actors" | "lookups" | "reader" | "exportLink" | "downloads" | "exportReceipt" | "audit"
  > {
  charts: Charts;
  live: Live;
}
