/** Tokens that were signed out before they expired, for all replicas together. */
import { enterStore, readStore, type Sql } from "./connect.ts";

export interface EndedSession {
  /** The store that the token's principal acts for. */
  storeId: string;
  /** SHA-256, 32 bytes. */
  tokenHash: Uint8Array;
}

export interface EndedSessions {
  has(session: EndedSession): Promise<boolean>;
  /** @param expiresAt when the token is refused without this entry */
  add(session: EndedSession, expiresAt: Date): Promise<void>;
}

/** @param sql a pool of the role customer_api */
export function createEndedSessions(sql: Sql): EndedSessions {
  return {
    async has({ storeId, tokenHash }) {
      const rows = await readStore(
        sql,
        storeId,
        (sql) => sql`select 1 from ended_sessions where store_id = ${storeId} and token_hash = ${tokenHash}`,
      );
      return rows.length > 0;
    },
    async add({ storeId, tokenHash }, expiresAt) {
      await sql.begin(async (tx) => {
        await enterStore(tx, storeId);
        await tx`insert into ended_sessions ${tx({ storeId, tokenHash, expiresAt })} on conflict do nothing`;
      });
    },
  };
}

/** Removes what is refused by its expiry alone, in every store. */
export async function deleteExpiredSessions(sql: Sql, now: Date): Promise<void> {
  await sql`delete from ended_sessions where expires_at <= ${now}`;
}
