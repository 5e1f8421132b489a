/** Rows of ended sessions: tokens that were signed out before they expired, shared by all replicas. */
import { lastOfBatch } from "./_expiry.ts";
import type { Instant } from "./clock.ts";
import { type Sql, type Tx, writeStore } from "./connect.ts";
import { createStoreReader } from "./store_reader.ts";

export interface EndedSession {
  /** Store that the token's principal acts for. */
  storeId: string;
  /** SHA-256, 32 bytes. */
  tokenHash: Uint8Array;
}

export interface EndedSessions {
  has(session: EndedSession): Promise<boolean>;
  /** @param expiresAt when the token expires without this row */
  add(session: EndedSession, expiresAt: Date): Promise<void>;
}

/** @param sql a pool of the role customer_api */
export function createEndedSessions(sql: Sql): EndedSessions {
  const reader = createStoreReader(sql);
  return {
    async has({ storeId, tokenHash }) {
      const rows = await reader.read(
        storeId,
        (sql) => sql`select 1 from ended_sessions where store_id = ${storeId} and token_hash = ${tokenHash}`,
      );
      return rows.length > 0;
    },
    async add({ storeId, tokenHash }, expiresAt) {
      await writeStore(
        sql,
        storeId,
        (tx) =>
          tx`insert into ended_sessions ${tx({ storeId, tokenHash, expiresAt })} on conflict do nothing`,
      );
    },
  };
}

/** Deletes a batch of about `limit` rows of expired tokens, of every store. Returns their number. */
export async function deleteExpiredSessions(sql: Sql | Tx, now: Instant, limit: number): Promise<number> {
  const batch = { table: "ended_sessions", column: "expires_at", isExpired: sql`expires_at <= ${now}` };
  const { count } = await sql`delete from ended_sessions where expires_at <= ${
    lastOfBatch(sql, batch, limit)
  }`;
  return count;
}
