/** Rows of the shopper groups. */
import type { Tx } from "./connect.ts";
import type { ReadSql } from "./store_reader.ts";

export interface ShopperGroupRow {
  name: string;
  priceListId: string;
  priority: number;
  version: number;
  deletedAt: Date | null;
}

/** Group as it is shown. */
export interface ShopperGroup extends ShopperGroupRow {
  groupId: string;
  createdAt: Date;
  updatedAt: Date;
}

const columns = (sql: ReadSql) =>
  sql`group_id, name, price_list_id, priority, version, created_at, updated_at, deleted_at`;

export async function findShopperGroup(
  sql: ReadSql,
  storeId: string,
  groupId: string,
): Promise<ShopperGroup | undefined> {
  const [row] = await sql<ShopperGroup[]>`
    select ${columns(sql)} from shopper_groups where store_id = ${storeId} and group_id = ${groupId}`;
  return row;
}

/** Filter; an absent field matches every group. */
export interface GroupFilter {
  /** Matches in any case. */
  namePrefix?: string | undefined;
  deleted?: boolean | undefined;
}

/**
 * Returns up to `limit` groups of a store in the order of their IDs, which does not change when they are
 * renamed.
 */
export async function searchShopperGroups(
  sql: ReadSql,
  storeId: string,
  { namePrefix, deleted }: GroupFilter,
  { limit, after }: { limit: number; after?: string | undefined },
): Promise<ShopperGroup[]> {
  return await sql<ShopperGroup[]>`
    select ${columns(sql)} from shopper_groups
    where store_id = ${storeId}
      ${namePrefix === undefined ? sql`` : sql`and starts_with(fold_case(name), fold_case(${namePrefix}))`}
      ${deleted === undefined ? sql`` : sql`and (deleted_at is not null) = ${deleted}`}
      ${after === undefined ? sql`` : sql`and group_id > ${after}`}
    order by group_id limit ${limit}`;
}

/** Members are counted up to this number. */
export const MAX_MEMBERS = 10_000;

/** Returns the number of members of each group; MAX_MEMBERS + 1 if there are more. */
export async function countMembers(
  sql: ReadSql,
  storeId: string,
  groupIds: readonly string[],
): Promise<Map<string, number>> {
  const rows = await sql<{ groupId: string; members: number }[]>`
    select g.group_id, (select count(*)::int from (
      select from customer_group_memberships m
      where m.store_id = ${storeId} and m.group_id = g.group_id limit ${
    MAX_MEMBERS + 1
  }) as counted) as members
    from unnest(${groupIds as string[]}::uuid[]) as g (group_id)`;
  return new Map(rows.map(({ groupId, members }) => [groupId, members]));
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
