/** Downloads of finished exports: each link serves each part once, to the customer or to the responsible staff. */
import { type FixedClock, instant, readClock } from "../../../db/clock.ts";
import { type Sql, writeStore } from "../../../db/connect.ts";
import { countUse, findDocuments, type PartRow } from "../../../db/gdpr_exports.ts";
import { findRequest, lockRequest } from "../../../db/gdpr_requests.ts";
import { readStore } from "../../../db/store_reader.ts";
import { DomainError, ignoreRefused } from "../../../domain/errors.ts";
import { mayReadValues, READING_ROLES } from "../../../domain/authorization.ts";
import type { Principal } from "../../../domain/principal.ts";
import { newTraceparent } from "../../../lib/trace_context.ts";
import type { Actors } from "../../commands.ts";
import { readChunks } from "./chunks.ts";
import { recordDownload } from "./download_record.ts";
import { type ExportLink, readLink, signLink } from "./token.ts";
import type { RequestKey } from "../types.ts";

/** Keys that encrypt exports and sign the links to them. */
export interface ExportKeys {
  /** AES-GCM with 256 bits. */
  exportKey: CryptoKey;
  /** HMAC with SHA-256. */
  linkKey: CryptoKey;
}

/**
 * Returns a download link for the documents of a request; undefined before they exist and after they expire.
 *
 * @returns the URL relative to the service's public address, the end of its validity, and the SHA-256 of the
 * manifest in hexadecimal digits
 */
export type LinkToExport = (
  key: RequestKey,
) => Promise<{ url: string; expiresAt: Date; sha256: string } | undefined>;

/** The export has expired, or the link has been used already. */
export class ExportGone extends DomainError {
  override name = "ExportGone";

  constructor(message: string) {
    super("REFUSED_IN_STATE", message);
  }
}

export type ExportPart = Pick<PartRow, "part" | "mediaType" | "bytes"> & {
  /** SHA-256 of the uncompressed document in hexadecimal, in lower case. */
  sha256: string;
  expiresAt: Date;
};

/** Every method throws NOT_FOUND for an invalid token, a missing part or another caller, and ExportGone. */
export interface ExportDownloads {
  /** Lists the parts of the export, used link or not. */
  list(token: string, by: Principal): Promise<ExportPart[]>;
  /** Describes one part, without using the link. */
  describe(token: string, part: string, by: Principal): Promise<ExportPart>;
  /**
   * Returns one part, gzipped. The link counts as used for this part before the first byte. A download by staff is
   * recorded in the journal of the request and in the audit log, in the same transaction.
   *
   * @throws {DomainError} FORBIDDEN for staff without a role that may read personal values
   */
  fetch(
    token: string,
    part: string,
    by: Principal,
    traceparent?: string,
  ): Promise<FetchedPart>;
}

export interface FetchedPart extends ExportPart {
  gzip: ReadableStream<Uint8Array<ArrayBuffer>>;
  /**
   * Records that the caller has received the whole part. The request counts as fetched if the caller is the customer
   * and the part contains the data; a part of staff and the manifest change nothing.
   */
  delivered(): Promise<void>;
}

const MANIFEST = "manifest.json";

/**
 * Creates a link that can download each part once, until the export expires.
 *
 * @param sql a pool of the role customer_api
 * @returns undefined before the export exists and after it expires
 */
export async function exportLink(
  sql: Sql,
  { linkKey }: Pick<ExportKeys, "linkKey">,
  key: RequestKey,
  now?: Date,
): ReturnType<LinkToExport> {
  const documents = await readStore(sql, key.storeId, (tx) => findDocuments(tx, key, now));
  const manifest = documents.find(({ part }) => part === MANIFEST);
  if (!manifest?.sha256 || manifest.expired) return undefined;
  const generation = Math.max(...documents.map(({ uses }) => uses)) + 1;
  const token = await signLink(linkKey, { ...key, generation });
  return { url: `/exports/${token}`, expiresAt: manifest.expiresAt, sha256: manifest.sha256.toHex() };
}

/** @param sql a pool of the role customer_api */
export function createExportDownloads(
  sql: Sql,
  { exportKey, linkKey }: ExportKeys,
  actors: Pick<Actors, "send">,
  clock?: FixedClock,
): ExportDownloads {
  async function open(token: string, by: Principal): Promise<{ link: ExportLink; parts: ExportPart[] }> {
    const link = await readLink(linkKey, token);
    if (!link || link.storeId !== by.storeId) throw notFound("this export");
    const { request, documents } = await readStore(sql, link.storeId, async (tx) => ({
      request: await findRequest(tx, link.storeId, link.requestId),
      documents: await findDocuments(tx, link, instant(tx, clock)),
    }));
    if (!request || !mayDownload(by, request.customerId)) throw notFound("this export");
    const parts = documents.filter(({ expired }) => !expired).map(toExportPart);
    if (parts.length === 0) {
      throw new ExportGone(`Cannot download the export of ${link.requestId}: it has expired`);
    }
    return { link, parts };
  }

  const partOf = (parts: readonly ExportPart[], name: string): ExportPart => {
    const part = parts.find(({ part }) => part === name);
    if (!part) throw notFound("this part of the export");
    return part;
  };

  return {
    list: async (token, by) => (await open(token, by)).parts,
    describe: async (token, name, by) => partOf((await open(token, by)).parts, name),

    async fetch(token, name, by, traceparent = newTraceparent()) {
      const { link, parts } = await open(token, by);
      const part = partOf(parts, name);
      requireValues(by, name, link);
      const chunks = readChunks(sql, exportKey, { ...link, part: name });
      const first = await chunks.next(); // an unreadable part must not use the link
      const isFirstUse = await writeStore(sql, link.storeId, async (tx) => {
        // Before its parts, as in the deletion of exports.
        const request = by.type === "STAFF" ? await lockRequest(tx, link.storeId, link.requestId) : undefined;
        const at = await readClock(tx, clock);
        if (!await countUse(tx, { ...link, part: name }, link.generation, at)) return false;
        if (request) await recordDownload(tx, request, name, { by, at, traceparent });
        return true;
      });
      if (!isFirstUse) {
        await chunks.return(undefined);
        throw new ExportGone(
          `Cannot download ${name} of ${link.requestId} again: the link has been used; request a new one`,
        );
      }
      const delivered = () =>
        by.type === "CUSTOMER" && name !== MANIFEST
          ? recordFetch(actors, link, { by, traceparent })
          : Promise.resolve();
      return { ...part, gzip: ReadableStream.from(prepend(first, chunks)), delivered };
    },
  };
}

/** A customer may fetch the data several times. The first time counts. */
async function recordFetch(
  actors: Pick<Actors, "send">,
  { storeId, requestId }: RequestKey,
  context: { by: Principal; traceparent: string },
): Promise<void> {
  const request = { kind: "gdpr_request" as const, storeId, id: requestId };
  await ignoreRefused(actors.send(request, { type: "export.fetched" }, context));
}

/** Allows the customer, privacy officers and store managers. */
function mayDownload({ type, id, roles }: Principal, customerId: string): boolean {
  if (type === "CUSTOMER") return id === customerId;
  return type === "STAFF" && roles.some((role) => role === "PRIVACY_OFFICER" || role === "STORE_MANAGER");
}

/** The documents contain the personal values that are hidden from staff who only handle requests. */
function requireValues(by: Principal, part: string, { requestId }: ExportLink): void {
  if (by.type === "CUSTOMER" || mayReadValues(by)) return;
  const roles = [...READING_ROLES, "STORE_MANAGER"].join(" or ");
  throw new DomainError(
    "FORBIDDEN",
    `Cannot download ${part} of request ${requestId}: it contains personal values, which require the role ${roles}`,
  );
}

function toExportPart({ part, mediaType, bytes, sha256, expiresAt }: PartRow): ExportPart {
  if (!sha256) throw new Error(`Cannot describe ${part}: it has no hash`);
  return { part, mediaType, bytes, sha256: sha256.toHex(), expiresAt };
}

async function* prepend<T>(first: IteratorResult<T>, rest: AsyncIterable<T>): AsyncGenerator<T> {
  if (first.done) return;
  yield first.value;
  yield* rest;
}

function notFound(what: string): DomainError {
  return new DomainError("NOT_FOUND", `Cannot find ${what}`);
}
