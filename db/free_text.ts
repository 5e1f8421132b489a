/** Free text that staff and services have written about a customer: its number, and its removal. */
import type { Tx } from "./connect.ts";
import { FREE_TEXT } from "./personal_data.ts";

/** A customer with all its requests, or one request. */
export type TextsAbout = { storeId: string; customerId: string } | { storeId: string; requestId: string };

/** Returns the number of texts by table, of the requests and of the journals; tables without any are absent. */
export async function countFreeText(tx: Tx, about: TextsAbout): Promise<Record<string, number>> {
  const texts: Record<string, number> = {};
  for (const [table, columns] of Object.entries(FREE_TEXT)) {
    const [row] = await tx<{ count: number }[]>`
      select coalesce(sum(${numberOf(tx, columns)}), 0)::int as count from ${tx(table)}
      where store_id = ${about.storeId} and ${isAbout(tx, table, about)}`;
    if (row && row.count > 0) texts[table] = row.count;
  }
  return texts;
}

/** Removes the texts. Returns their number as `countFreeText` does. */
export async function removeFreeText(tx: Tx, about: TextsAbout): Promise<Record<string, number>> {
  const texts = await countFreeText(tx, about);
  for (const table of Object.keys(texts)) {
    const columns = FREE_TEXT[table] ?? [];
    // One statement for all columns: customer_api may change a row of the journal only by emptying it.
    await tx`
      update ${tx(table)} set ${tx(Object.fromEntries(columns.map((column) => [column, null])))}
      where store_id = ${about.storeId} and ${numberOf(tx, columns)} > 0
        and ${isAbout(tx, table, about)}`;
  }
  return texts;
}

/** Returns the number of a row's texts. */
function numberOf(tx: Tx, columns: readonly string[]) {
  return tx`num_nonnulls(${
    columns.map((name) => tx`${tx(name)}`).reduce((list, name) => tx`${list}, ${name}`)
  })`;
}

/** Returns the condition of the rows of a table of FREE_TEXT. */
function isAbout(tx: Tx, table: string, about: TextsAbout) {
  const { storeId } = about;
  const requests = "requestId" in about
    ? tx`${about.requestId}::uuid`
    : tx`select request_id from gdpr_requests where store_id = ${storeId} and customer_id = ${about.customerId}`;
  if (table !== "actor_events") return tx`request_id in (${requests})`;
  const ofRequests = tx`(actor_kind = 'gdpr_request' and actor_id in (${requests}))`;
  if ("requestId" in about) return ofRequests;
  return tx`((actor_kind = 'customer' and actor_id = ${about.customerId}) or ${ofRequests})`;
}
