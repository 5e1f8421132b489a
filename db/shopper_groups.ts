/** The shopper groups' rows. */
import type { Tx } from "./connect.ts";

export interface ShopperGroupRow {
  name: string;
  priceListId: string;
  priority: number;
  version: number;
  deletedAt: Date | null;
}

export async function lockShopperGroup(
  tx: Tx,
  storeId: string,
  groupId: string,
): Promise<ShopperGroupRow | undefined> {
  const [row] = await tx<ShopperGroupRow[]>`
    select name, price_list_id, priority, version, deleted_at
    from shopper_groups where store_id = ${storeId} and group_id = ${groupId} for update`;
  return row;
}

/** @param columns in camelCase */
export async function insertShopperGroup(
  tx: Tx,
  storeId: string,
  groupId: string,
  columns: Record<string, unknown>,
): Promise<void> {
  await tx`insert into shopper_groups ${tx({ storeId, groupId, ...columns })}`;
}

/** @param columns in camelCase */
export async function updateShopperGroup(
  tx: Tx,
  storeId: string,
  groupId: string,
  columns: Record<string, unknown>,
): Promise<void> {
  await tx`
    update shopper_groups set ${tx(columns)} where store_id = ${storeId} and group_id = ${groupId}`;
}
