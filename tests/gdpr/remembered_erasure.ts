/** Entry of the erasure memory, without the erasure itself. */
import type { Sql, Tx } from "../../db/connect.ts";
import type { EmailHash } from "../../db/email_hashes.ts";
import type { ActorRef } from "../../actors/commands.ts";

/**
 * @param sql the administrator's connection, or a transaction of it
 * @param hashes of an email of the customer
 */
export async function rememberErasure(
  sql: Sql | Tx,
  { storeId, id }: ActorRef,
  [hash]: readonly EmailHash[],
): Promise<void> {
  await sql`insert into erased_subjects (store_id, customer_id, erased_at) values (${storeId}, ${id}, now())`;
  await sql`insert into email_hashes (store_id, customer_id, hash) values (${storeId}, ${id}, ${hash!.hash})`;
}
