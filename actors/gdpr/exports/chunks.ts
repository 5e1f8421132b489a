/** Reader of a part: yields its decrypted chunks in order. */
import type { Sql } from "../../../db/connect.ts";
import { type ChunkRow, findChunks, type PartKey } from "../../../db/gdpr_exports.ts";
import { readStore } from "../../../db/store_reader.ts";
import { decryptChunk } from "./chunk_encryption.ts";

/** Number of encrypted chunks that one query reads. */
const CHUNKS_PER_QUERY = 8;

/**
 * @param open the part is incomplete, so none of its chunks is encrypted as the last one
 * @throws {Error} a chunk is missing, was moved or was changed
 */
export async function* readChunks(
  sql: Sql,
  cipher: CryptoKey,
  { part, ...key }: PartKey,
  open = false,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  let next = 0;
  let ended = false;
  while (!ended) {
    const rows: ChunkRow[] = await readStore(
      sql,
      key.storeId,
      (tx) => findChunks(tx, { ...key, part }, next, CHUNKS_PER_QUERY),
    );
    if (rows.length === 0) {
      if (open) return;
      throw new Error(`Cannot read ${part} of ${key.requestId}: chunk ${next} is missing`);
    }
    for (const { bytes, highest } of rows) {
      ended = highest;
      // Numbers are counted, not read: after a gap, decryption fails.
      yield await decryptChunk(cipher, { ...key, part, chunk: next++, last: highest && !open }, bytes);
    }
  }
}
