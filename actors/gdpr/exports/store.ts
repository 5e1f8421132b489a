/** PostgreSQL store of collected records, encrypted, until the documents of the request replace them. */
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
  type PartRow,
  prolongSources,
  sourcePart,
  updatePart,
} from "../../../db/gdpr_exports.ts";
import { DomainError } from "../../../domain/errors.ts";
import { later } from "../../../lib/dates.ts";
import { compileExport } from "./compilation.ts";
import { encryptChunk } from "./chunk_encryption.ts";
import { type Delivery, type ExportStore, ParticipantError, type RequestKey } from "../types.ts";

export interface ExportStoreOptions {
  /** Absent: PostgreSQL's clock. */
  clock?: FixedClock | undefined;
  /** Maximum size of a chunk before encryption; a longer record is a chunk of its own. */
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
  options: ExportStoreOptions = {},
): ExportStore {
  const { clock, chunkBytes = CHUNK_BYTES } = options;

  const expiryOf = ({ dueAt, now }: { dueAt: Date; now: Date }) =>
    later(dueAt > now ? dueAt : now, RETENTION_MS);

  /** Locks a participant's part, inserting it if it is missing, and returns it with the number of its next chunk. */
  async function open(tx: Tx, key: RequestKey, service: string): Promise<{ row: PartRow; chunk: number }> {
    const part = sourcePart(service);
    const request = await lockOpenExport(tx, key, instant(tx, clock));
    if (!request) throw refusal(key, service, "the request has ended");
    if (await isWaived(tx, key, service)) throw refusal(key, service, "the participant was waived");
    const expiresAt = expiryOf(request);
    await insertPart(tx, key, { part, mediaType: NDJSON, expiresAt });
    await prolongSources(tx, key, expiresAt);
    const row = await findPart(tx, key, part);
    if (!row) throw new Error(`Cannot store ${part} of ${key.requestId}: its row is missing`);
    return { row, chunk: await countChunks(tx, key, part) };
  }

  return {
    async progress(key, service) {
      const row = await writeStore(sql, key.storeId, async (tx) => {
        const request = await lockOpenExport(tx, key, instant(tx, clock));
        if (request) await prolongSources(tx, key, expiryOf(request)); // they are still in use
        return await findPart(tx, key, sourcePart(service));
      });
      const { records = 0, resumeAfter = null, complete = false } = row ?? {};
      return { records, resumeAfter: resumeAfter ?? undefined, complete };
    },

    async append(key, service, deliveries, from) {
      const last = deliveries.at(-1);
      if (!last) return;
      await writeStore(sql, key.storeId, async (tx) => {
        const { row, chunk: first } = await open(tx, key, service);
        const { part } = row;
        if (row.complete) throw refusal(key, service, "the participant has delivered everything");
        if (from && (from.resumeAfter ?? null) !== row.resumeAfter) {
          throw new DomainError(
            "CONFLICT",
            `Cannot store records of ${service} for ${key.requestId}: another caller has stored records since`,
          );
        }
        const values = {
          records: row.records + deliveries.length,
          bytes: row.bytes,
          resumeAfter: last.cursor,
        };
        let chunk = first;
        for (const lines of inChunks(deliveries, chunkBytes)) {
          const bytes = await encryptChunk(cipher, { ...key, part, chunk, last: false }, lines);
          await insertChunk(tx, key, { part, chunk: chunk++, bytes });
          values.bytes += lines.byteLength;
        }
        if (from?.maxBytes !== undefined && values.bytes > from.maxBytes) {
          const limit = `${from.maxBytes} bytes of JSON`;
          throw new ParticipantError(
            "TOO_MUCH_DATA",
            `Cannot store records of ${service}: it has sent more than ${limit}`,
          );
        }
        await updatePart(tx, key, part, values);
      });
    },

    async discard(key, service) {
      await writeStore(sql, key.storeId, async (tx) => {
        if (await lockOpenExport(tx, key, instant(tx, clock))) {
          await deleteIncompletePart(tx, key, sourcePart(service));
        }
      });
    },

    async finish(key, service) {
      await writeStore(sql, key.storeId, async (tx) => {
        const { row, chunk } = await open(tx, key, service);
        const { part } = row;
        if (row.complete) return;
        const bytes = await encryptChunk(cipher, { ...key, part, chunk, last: true }, new Uint8Array());
        await insertChunk(tx, key, { part, chunk, bytes });
        await updatePart(tx, key, part, { complete: true, resumeAfter: null });
      });
    },

    compile: (key, description, signal) =>
      compileExport({ sql, cipher, clock, chunkBytes }, key, description, signal),
  };
}

/** NDJSON with one record a line, in chunks of at most `size` characters unless one record is longer. */
function* inChunks(deliveries: readonly Delivery[], size: number): Generator<Uint8Array<ArrayBuffer>> {
  const encoder = new TextEncoder();
  let lines: string[] = [];
  let length = 0;
  for (const { record } of deliveries) {
    const line = `${JSON.stringify(record)}\n`;
    if (length > 0 && length + line.length > size) {
      yield encoder.encode(lines.join(""));
      [lines, length] = [[], 0];
    }
    lines.push(line);
    length += line.length;
  }
  yield encoder.encode(lines.join(""));
}

function refusal(key: RequestKey, service: string, why: string): DomainError {
  return new DomainError(
    "REFUSED_IN_STATE",
    `Cannot store records of ${service} for ${key.requestId}: ${why}`,
  );
}
