/** Rows of the idempotency keys: stored answers that callers may request again. */
import { batched } from "./_batches.ts";
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
  /** Never null outside of the transaction that claimed the key. */
  answer: unknown;
}

/**
 * Claims the key for this transaction, or returns the answer that an earlier one stored. Two requests with
 * one key wait for each other here.
 */
export async function claimKey(
  tx: Tx,
  { storeId, principalId, principalType, key }: IdempotencyKey,
  requestHash: Uint8Array,
  { createdAt, expiresAt }: { createdAt: Instant; expiresAt: Instant },
): Promise<StoredAnswer | undefined> {
  const claimed = await tx`
    insert into idempotency_keys ${
    tx({
      storeId,
      principalId,
      principalType,
      key,
      requestHash,
      createdAt,
      expiresAt,
    } as never)
  }
    on conflict (store_id, principal_id, key) do update
      set request_hash = excluded.request_hash, answer = null, principal_type = excluded.principal_type,
        created_at = excluded.created_at, expires_at = excluded.expires_at
      where idempotency_keys.expires_at <= excluded.created_at
    returning 1`;
  if (claimed.length > 0) return undefined;
  const [answer] = await tx<StoredAnswer[]>`
    select request_hash, principal_type, answer from idempotency_keys
    where store_id = ${storeId} and principal_id = ${principalId} and key = ${key}`;
  return answer;
}

export async function storeAnswer(
  tx: Tx,
  { storeId, principalId, key }: IdempotencyKey,
  answer: object,
): Promise<void> {
  await tx`
    update idempotency_keys set answer = ${tx.json(answer as never)}
    where store_id = ${storeId} and principal_id = ${principalId} and key = ${key}`;
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

/** Deletes the expired keys of every store. */
export async function deleteExpiredKeys(sql: Sql, now: Instant): Promise<number> {
  const { count } = await sql`delete from idempotency_keys where expires_at <= ${now}`;
  return count;
}
