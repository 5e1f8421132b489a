/** Rows of the idempotency keys: stored answers that callers may request again. */
import { batched } from "./_batches.ts";
import { lastOfBatch } from "./_expiry.ts";
import type { Instant } from "./clock.ts";
import type { Sql, Tx } from "./connect.ts";
import type { StoreReader } from "./store_reader.ts";

export interface IdempotencyKey {
  storeId: string;
  principalId: string;
  principalType: string;
  key: string;
}

export interface StoredAnswer {
  requestHash: Uint8Array;
  /** Null: unknown, since an earlier version stored the answer. */
  principalType: string | null;
  answer: unknown;
}

/** Returns the stored answers for keys of one principal; lookups of one tick share one statement. */
export function createAnswerLookup(
  reader: StoreReader,
  { storeId, principalId, principalType }: Omit<IdempotencyKey, "key">,
): (key: string) => Promise<unknown> {
  return batched("idempotency_keys", async (keys: readonly string[]) => {
    const rows = await reader.read(storeId, (sql) =>
      sql<{ key: string; answer: unknown }[]>`
        select key, answer from idempotency_keys
        where store_id = ${storeId} and principal_id = ${principalId} and key = any(${keys as string[]})
          and (principal_type is null or principal_type = ${principalType}) and expires_at > now()`);
    const answers = new Map(rows.map(({ key, answer }) => [key, answer]));
    return keys.map((key) => answers.get(key));
  });
}

/** Deletes a batch of about `limit` expired keys, of every store. Returns their number. */
export async function deleteExpiredKeys(sql: Sql | Tx, now: Instant, limit: number): Promise<number> {
  const batch = { table: "idempotency_keys", column: "expires_at", isExpired: sql`expires_at <= ${now}` };
  const { count } = await sql`delete from idempotency_keys where expires_at <= ${
    lastOfBatch(sql, batch, limit)
  }`;
  return count;
}
