/** Reads the chunks of a part in their order, decrypted, a few at a time. */
import type { Sql } from "../../../db/connect.ts";
import { type ChunkRow, findChunks, type PartKey } from "../../../db/gdpr_exports.ts";
import { readStore } from "../../../db/store_reader.ts";
import { unseal } from "./seal.ts";

/** How many sealed chunks are held at once. */
const AHEAD = 8;

/**
 * @param open the part was never ended, so nothing tells its last chunk from the others
 * @throws {Error} a chunk is missing, has been moved or is not what was written
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
      (sql) => findChunks(sql, { ...key, part }, next, AHEAD),
    );
    if (rows.length === 0) {
      if (open) return;
      throw new Error(`Cannot read ${part} of ${key.requestId}: chunk ${next} is missing`);
    }
    for (const { bytes, highest } of rows) {
      ended = highest;
      // A chunk in another one's number does not open here, so a gap shows as well.
      yield await unseal(cipher, { ...key, part, chunk: next++, last: highest && !open }, bytes);
    }
  }
}
