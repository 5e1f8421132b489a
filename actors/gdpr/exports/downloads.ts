/** Gives finished exports to those who may have them, once a link. */
import { type Sql, writeStore } from "../../../db/connect.ts";
import { countUse, findDocuments, type PartRow } from "../../../db/gdpr_exports.ts";
import { findRequest, lockRequest } from "../../../db/gdpr_requests.ts";
import { readStore } from "../../../db/store_reader.ts";
import { DomainError } from "../../../domain/errors.ts";
import { mayReadValues, READING_ROLES } from "../../../domain/authorization.ts";
import type { Principal } from "../../../domain/principal.ts";
import { newTraceparent } from "../../../lib/trace_context.ts";
import { readChunks } from "./chunks.ts";
import { recordDownload } from "./download_record.ts";
import { type ExportLink, readLink, signLink } from "./token.ts";
import type { RequestKey } from "../vocabulary.ts";

/** What guards exports and the links to them. */
export interface ExportKeys {
  /** AES-GCM with 256 bits. */
  exportKey: CryptoKey;
  /** HMAC with SHA-256. */
  linkKey: CryptoKey;
}

/**
 * Where the documents of a request can be fetched; undefined while there are none, and once there are none any more.
 *
 * @returns the URL relative to the service's public address, the end of its validity, and the SHA-256 of the
 * manifest in hexadecimal digits
 */
export type LinkToExport = (
  key: RequestKey,
) => Promise<{ url: string; expiresAt: Date; sha256: string } | undefined>;

/** The export was there for this caller, and this link does not give it any more. */
export class ExportGone extends DomainError {
  override name = "ExportGone";

  constructor(message: string) {
    super("REFUSED_IN_STATE", message);
  }
}

export type ExportPart = Pick<PartRow, "part" | "mediaType" | "bytes"> & {
  /** Of the uncompressed document; hexadecimal, in lower case. */
  sha256: string;
  expiresAt: Date;
};

/** All throw a DomainError: NOT_FOUND when the token is not ours or the caller is somebody else; ExportGone. */
export interface ExportDownloads {
  /** The parts that the link leads to, whether it has been used or not. */
  list(token: string, by: Principal): Promise<ExportPart[]>;
  /** One part without using the link up. */
  look(token: string, part: string, by: Principal): Promise<ExportPart>;
  /**
   * One part, gzipped; the link is used up for it before the first byte. A download by staff is recorded in the
   * journal of the request and in the audit log, in the same transaction.
   *
   * @throws {DomainError} FORBIDDEN for staff without a role that may read personal values
   */
  fetch(
    token: string,
    part: string,
    by: Principal,
    traceparent?: string,
  ): Promise<ExportPart & { gzip: ReadableStream<Uint8Array<ArrayBuffer>> }>;
}

const MANIFEST = "manifest.json";

/**
 * A link with which each part can be fetched once more, until the export expires.
 *
 * @param sql a pool of the role customer_api
 * @returns undefined while there is no export, and once there is none any more
 */
export async function exportLink(
  sql: Sql,
  { linkKey }: Pick<ExportKeys, "linkKey">,
  key: RequestKey,
  now: Date = new Date(),
): ReturnType<LinkToExport> {
  const documents = await readStore(sql, key.storeId, (sql) => findDocuments(sql, key));
  const manifest = documents.find(({ part }) => part === MANIFEST);
  if (!manifest?.sha256 || manifest.expiresAt <= now) return undefined;
  const generation = Math.max(...documents.map(({ uses }) => uses)) + 1;
  const token = await signLink(linkKey, { ...key, generation });
  return { url: `/exports/${token}`, expiresAt: manifest.expiresAt, sha256: manifest.sha256.toHex() };
}

/** @param sql a pool of the role customer_api */
export function createExportDownloads(
  sql: Sql,
  { exportKey, linkKey }: ExportKeys,
  clock: () => Date = () => new Date(),
): ExportDownloads {
  async function open(token: string, by: Principal): Promise<{ link: ExportLink; parts: ExportPart[] }> {
    const link = await readLink(linkKey, token);
    if (!link || link.storeId !== by.storeId) throw notFound("this export");
    const { request, documents } = await readStore(sql, link.storeId, async (sql) => ({
      request: await findRequest(sql, link.storeId, link.requestId),
      documents: await findDocuments(sql, link),
    }));
    if (!request || !mayHave(by, request.customerId)) throw notFound("this export");
    const now = clock();
    const parts = documents.filter(({ expiresAt }) => expiresAt > now).map(described);
    if (parts.length === 0) {
      throw new ExportGone(`Cannot give the export of ${link.requestId}: it has expired`);
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
    look: async (token, name, by) => partOf((await open(token, by)).parts, name),

    async fetch(token, name, by, traceparent = newTraceparent()) {
      const { link, parts } = await open(token, by);
      const part = partOf(parts, name);
      requireValues(by, name, link);
      const chunks = readChunks(sql, exportKey, { ...link, part: name });
      const first = await chunks.next(); // what cannot be read must not use the link up
      const counted = await writeStore(sql, link.storeId, async (tx) => {
        const at = clock();
        const isStaff = by.type === "STAFF";
        // Before its parts, as in the deletion of exports.
        const request = isStaff ? await lockRequest(tx, link.storeId, link.requestId) : undefined;
        if (!await countUse(tx, { ...link, part: name }, link.generation, at)) return false;
        if (request) await recordDownload(tx, request, name, { by, at, traceparent });
        return true;
      });
      if (!counted) {
        await chunks.return(undefined);
        throw new ExportGone(
          `Cannot give ${name} of ${link.requestId} again: the link has been used; ask for a new one`,
        );
      }
      return { ...part, gzip: ReadableStream.from(resume(first, chunks)) };
    },
  };
}

/** The subject itself, and the staff who answer for its data. */
function mayHave({ type, id, roles }: Principal, customerId: string): boolean {
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

function described({ part, mediaType, bytes, sha256, expiresAt }: PartRow): ExportPart {
  if (!sha256) throw new Error(`Cannot describe ${part}: it has no hash`);
  return { part, mediaType, bytes, sha256: sha256.toHex(), expiresAt };
}

async function* resume<T>(first: IteratorResult<T>, rest: AsyncIterable<T>): AsyncGenerator<T> {
  if (first.done) return;
  yield first.value;
  yield* rest;
}

function notFound(what: string): DomainError {
  return new DomainError("NOT_FOUND", `Cannot find ${what}`);
}
