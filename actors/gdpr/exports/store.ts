/** PostgreSQL store of collected records, encrypted, until the documents of the request replace them. */
import { Buffer } from "node:buffer";
import { type FixedClock, instant } from "../../../db/clock.ts";
import { type Sql, type Tx, writeStore } from "../../../db/connect.ts";
import {
  countChunks,
  deleteIncompletePart,
  findPart,
  insertChunk,
  insertPart,
  isWaived,
  lockOpenExport,
  participantPart,
  type PartRow,
  prolongParticipantParts,
  updatePart,
} from "../../../db/gdpr_exports.ts";
import { DomainError } from "../../../domain/errors.ts";
import { addMilliseconds } from "../../../lib/dates.ts";
import type { ExportContext } from "./claim.ts";
import { compileExport } from "./compilation.ts";
import { encryptChunk } from "./chunk_encryption.ts";
import { type Delivery, type ExportStore, ParticipantError, type RequestKey } from "../types.ts";

export interface ExportStoreOptions {
  /** Absent: PostgreSQL's clock. */
  clock?: FixedClock | undefined;
  /** Maximum size of a chunk of NDJSON in UTF-8 before encryption; a longer record is a chunk of its own. */
  chunkBytes?: number;
}

/** Small, because serializing a chunk blocks the event loop. */
const CHUNK_BYTES = 64 * 1024;
/**
 * Retention of collected records after the due date or the last access, whichever is later: a request that is never
 * completed does not keep them forever.
 */
const RETENTION_MS = 30 * 24 * 60 * 60_000;

const NDJSON = "application/x-ndjson";

/**
 * @param sql a pool of the role customer_api
 * @param cipher for AES-GCM with 256 bits
 */
export function createExportStore(
  sql: Sql,
  cipher: CryptoKey,
  { clock, chunkBytes = CHUNK_BYTES }: ExportStoreOptions = {},
): ExportStore {
  const context: ExportContext = { sql, cipher, clock, chunkBytes };
  return {
    readProgressAndProlong: (key, service) => readProgressAndProlong(context, key, service),
    append: (key, service, deliveries, from) => append(context, { ...key, service }, deliveries, from),
    discard: (key, service) => discard(context, key, service),
    finish: (key, service) => finish(context, key, service),
    compile: (key, description, signal) => compileExport(context, key, description, signal),
  };
}

async function readProgressAndProlong({ sql, clock }: ExportContext, key: RequestKey, service: string) {
  const row = await writeStore(sql, key.storeId, async (tx) => {
    const request = await lockOpenExport(tx, key, instant(tx, clock));
    if (request) await prolongParticipantParts(tx, key, expiryOf(request));
    return await findPart(tx, key, participantPart(service));
  });
  const { records = 0, resumeAfter = null, complete = false } = row ?? {};
  return { records, resumeAfter: resumeAfter ?? undefined, complete };
}

async function append(
  context: ExportContext,
  { service, ...key }: RequestKey & { service: string },
  deliveries: readonly Delivery[],
  from: { resumeAfter: string | undefined; maxBytes?: number } | undefined,
): Promise<void> {
  const lastDelivery = deliveries.at(-1);
  if (!lastDelivery) return;
  const { sql, cipher, chunkBytes } = context;
  await writeStore(sql, key.storeId, async (tx) => {
    const { row, nextChunk } = await lockPart(tx, context, key, service);
    const { part } = row;
    if (row.complete) throw refusal(key, service, "the participant has delivered everything");
    if (from && (from.resumeAfter ?? null) !== row.resumeAfter) {
      throw new DomainError(
        "CONFLICT",
        `Cannot store records of ${service} for ${key.requestId}: another caller has stored records since`,
      );
    }
    let [chunk, size] = [nextChunk, row.bytes];
    for (const lines of recordChunks(deliveries, chunkBytes)) {
      const bytes = await encryptChunk(cipher, { ...key, part, chunk, last: false }, lines);
      await insertChunk(tx, key, { part, chunk: chunk++, bytes });
      size += lines.byteLength;
    }
    if (from?.maxBytes !== undefined && size > from.maxBytes) {
      throw new ParticipantError(
        "TOO_MUCH_DATA",
        `Cannot store records of ${service}: it has sent more than ${from.maxBytes} bytes of JSON`,
      );
    }
    const records = row.records + deliveries.length;
    await updatePart(tx, key, part, { records, bytes: size, resumeAfter: lastDelivery.cursor });
  });
}

async function discard({ sql, clock }: ExportContext, key: RequestKey, service: string): Promise<void> {
  await writeStore(sql, key.storeId, async (tx) => {
    if (await lockOpenExport(tx, key, instant(tx, clock))) {
      await deleteIncompletePart(tx, key, participantPart(service));
    }
  });
}

async function finish(context: ExportContext, key: RequestKey, service: string): Promise<void> {
  const { sql, cipher } = context;
  await writeStore(sql, key.storeId, async (tx) => {
    const { row: { part, complete }, nextChunk: chunk } = await lockPart(tx, context, key, service);
    if (complete) return;
    const bytes = await encryptChunk(cipher, { ...key, part, chunk, last: true }, new Uint8Array());
    await insertChunk(tx, key, { part, chunk, bytes });
    await updatePart(tx, key, part, { complete: true, resumeAfter: null });
  });
}

/** Locks a participant's part, inserting it if it is missing, and returns it with the number of its next chunk. */
async function lockPart(
  tx: Tx,
  { clock }: ExportContext,
  key: RequestKey,
  service: string,
): Promise<{ row: PartRow; nextChunk: number }> {
  const part = participantPart(service);
  const request = await lockOpenExport(tx, key, instant(tx, clock));
  if (!request) throw refusal(key, service, "the request has ended");
  if (await isWaived(tx, key, service)) throw refusal(key, service, "the participant was waived");
  const expiresAt = expiryOf(request);
  await insertPart(tx, key, { part, mediaType: NDJSON, expiresAt });
  // In addition to the insert, which leaves an existing part as it is; prolongs the parts of all participants.
  await prolongParticipantParts(tx, key, expiresAt);
  const row = await findPart(tx, key, part);
  if (!row) throw new Error(`Cannot store ${part} of ${key.requestId}: its row is missing`);
  return { row, nextChunk: await countChunks(tx, key, part) };
}

function expiryOf({ dueAt, now }: { dueAt: Date; now: Date }): Date {
  return addMilliseconds(dueAt > now ? dueAt : now, RETENTION_MS);
}

/** NDJSON with one record a line, in chunks of at most `size` bytes of UTF-8 unless one record is longer. */
function* recordChunks(deliveries: readonly Delivery[], size: number): Generator<Uint8Array<ArrayBuffer>> {
  const encoder = new TextEncoder();
  let lines: string[] = [];
  let bytes = 0;
  for (const { record } of deliveries) {
    const line = `${JSON.stringify(record)}\n`;
    const lineBytes = Buffer.byteLength(line);
    if (bytes > 0 && bytes + lineBytes > size) {
      yield encoder.encode(lines.join(""));
      [lines, bytes] = [[], 0];
    }
    lines.push(line);
    bytes += lineBytes;
  }
  yield encoder.encode(lines.join(""));
}

function refusal(key: RequestKey, service: string, why: string): DomainError {
  return new DomainError(
    "REFUSED_IN_STATE",
    `Cannot store records of ${service} for ${key.requestId}: ${why}`,
  );
}
