/** Removal of the free text that staff and services have written about a customer. */
import type { Tx } from "./connect.ts";
import { FREE_TEXT } from "./personal_data.ts";

/**
 * Removes the free text about a customer: of all requests, and of the journals of the customer and the requests.
 * Returns the number of removed texts by table; tables without any are absent.
 */
export async function removeFreeText(
  tx: Tx,
  storeId: string,
  customerId: string,
): Promise<Record<string, number>> {
  const removed: Record<string, number> = {};
  for (const [table, columns] of Object.entries(FREE_TEXT)) {
    for (const column of columns) {
      const { count } = await tx`
        update ${tx(table)} set ${tx(column)} = null
        where store_id = ${storeId} and ${tx(column)} is not null and ${
        about(tx, table, storeId, customerId)
      }`;
      if (count > 0) removed[table] = (removed[table] ?? 0) + count;
    }
  }
  return removed;
}

/** Returns the condition of the rows of a table of FREE_TEXT that are about a customer. */
function about(tx: Tx, table: string, storeId: string, customerId: string) {
  const requests = tx`
    select request_id from gdpr_requests where store_id = ${storeId} and customer_id = ${customerId}`;
  if (table !== "actor_events") return tx`request_id in (${requests})`;
  return tx`((actor_kind = 'customer' and actor_id = ${customerId})
    or (actor_kind = 'gdpr_request' and actor_id in (${requests})))`;
}
