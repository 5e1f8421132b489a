/** Reads the chunks of a part in their order, decrypted, a few at a time. */
import { enterStore, type Sql, type Tx } from "../../../db/connect.ts";
import { type ChunkRow, type ExportKey, findChunks } from "../../../db/gdpr_exports.ts";
import { unseal } from "./seal.ts";

/** How many sealed chunks are held at once. */
const AHEAD = 8;

/** Runs in one transaction within a store. */
export async function within<T>(sql: Sql, storeId: string, run: (tx: Tx) => Promise<T>): Promise<T> {
  return await sql.begin(async (tx) => {
    await enterStore(tx, storeId);
    return await run(tx);
  }) as T;
}

/**
 * @param open the part was never ended, so nothing tells its last chunk from the others
 * @throws {Error} a chunk is missing, has been moved or is not what was written
 */
export async function* readChunks(
  sql: Sql,
  cipher: CryptoKey,
  key: ExportKey,
  part: string,
  open = false,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  let next = 0;
  let ended = false;
  while (!ended) {
    const rows: ChunkRow[] = await within(sql, key.storeId, (tx) => findChunks(tx, key, part, next, AHEAD));
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
