/** Keeps what the sources of a request deliver, encrypted, until documents are made of it. */
import { type Sql, type Tx, writeStore } from "../../../db/connect.ts";
import {
  countChunks,
  findPart,
  insertChunk,
  insertPart,
  lockOpenExport,
  type PartRow,
  prolongSources,
  sourcePart,
  updatePart,
} from "../../../db/gdpr_exports.ts";
import { DomainError } from "../../../domain/errors.ts";
import { later } from "../../../lib/dates.ts";
import { compileExport } from "./compilation.ts";
import { seal } from "./seal.ts";
import type { Delivery, ExportStore, RequestKey } from "../vocabulary.ts";

export interface ExportStoreOptions {
  clock?: () => Date;
  /** The most bytes that stand in one row, before encryption; a record that is longer has a row of its own. */
  chunkBytes?: number;
}

/** As the interface, and with a guard against two replicas that collect from one source at the same time. */
export interface GuardedExportStore extends ExportStore {
  /**
   * @param from where the caller had asked the source to go on; undefined says that it was asked for everything
   * @throws {DomainError} CONFLICT: another caller has gone on in the meantime. REFUSED_IN_STATE: the request or
   * the source has ended
   */
  append(
    request: RequestKey,
    service: string,
    deliveries: readonly Delivery[],
    from?: { resumeAfter: string | undefined },
  ): Promise<void>;
}

/** The records of one chunk become text at a stretch, and nothing else runs meanwhile. */
const CHUNK_BYTES = 64 * 1024;
/**
 * How long what was collected is kept after the due date, or after anybody has last asked for it if that is
 * later. So nothing stays of a request that got stuck.
 */
const COLLECTED_MS = 30 * 24 * 60 * 60_000;

const NDJSON = "application/x-ndjson";

/**
 * @param sql a pool of the role customer_api
 * @param cipher for AES-GCM with 256 bits
 */
export function createExportStore(
  sql: Sql,
  cipher: CryptoKey,
  options: ExportStoreOptions = {},
): GuardedExportStore {
  const { clock = () => new Date(), chunkBytes = CHUNK_BYTES } = options;

  const keptUntil = ({ dueAt }: { dueAt: Date }) => {
    const now = clock();
    return later(dueAt > now ? dueAt : now, COLLECTED_MS);
  };

  /** Locks a source's part, which is made if need be, and gives the number of its next chunk. */
  async function open(tx: Tx, key: RequestKey, service: string): Promise<{ row: PartRow; chunk: number }> {
    const part = sourcePart(service);
    const request = await lockOpenExport(tx, key);
    if (!request) throw refusal(key, service, "the request has ended");
    const expiresAt = keptUntil(request);
    await insertPart(tx, key, { part, mediaType: NDJSON, expiresAt });
    await prolongSources(tx, key, expiresAt);
    const row = await findPart(tx, key, part);
    if (!row) throw new Error(`Cannot keep ${part} of ${key.requestId}: its row is not there`);
    return { row, chunk: await countChunks(tx, key, part) };
  }

  return {
    async progress(key, service) {
      const row = await writeStore(sql, key.storeId, async (tx) => {
        const request = await lockOpenExport(tx, key);
        if (request) await prolongSources(tx, key, keptUntil(request)); // they are still wanted
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
        if (row.complete) throw refusal(key, service, "the source has told everything");
        if (from && (from.resumeAfter ?? null) !== row.resumeAfter) {
          throw new DomainError(
            "CONFLICT",
            `Cannot keep records of ${service} for ${key.requestId}: another caller has gone on`,
          );
        }
        const values = {
          records: row.records + deliveries.length,
          bytes: row.bytes,
          resumeAfter: last.cursor,
        };
        let chunk = first;
        for (const lines of inChunks(deliveries, chunkBytes)) {
          const bytes = await seal(cipher, { ...key, part, chunk, last: false }, lines);
          await insertChunk(tx, key, { part, chunk: chunk++, bytes });
          values.bytes += lines.byteLength;
        }
        await updatePart(tx, key, part, values);
      });
    },

    async finish(key, service) {
      await writeStore(sql, key.storeId, async (tx) => {
        const { row, chunk } = await open(tx, key, service);
        const { part } = row;
        if (row.complete) return;
        const bytes = await seal(cipher, { ...key, part, chunk, last: true }, new Uint8Array());
        await insertChunk(tx, key, { part, chunk, bytes });
        await updatePart(tx, key, part, { complete: true, resumeAfter: null });
      });
    },

    compile: (key, description, signal) =>
      compileExport({ sql, cipher, clock, chunkBytes }, key, description, signal),
  };
}

/** NDJSON, a line a record, in pieces of up to a size. */
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
    `Cannot keep records of ${service} for ${key.requestId}: ${why}`,
  );
}
