/** Rows of group memberships. */
import type { Tx } from "./connect.ts";
import type { ReadSql } from "./store_reader.ts";

/** Removes an erased customer from every group. */
export async function deleteMemberships(tx: Tx, storeId: string, customerId: string): Promise<void> {
  await tx`
    delete from customer_group_memberships where store_id = ${storeId} and customer_id = ${customerId}`;
}

/** Returns up to `limit` members of a group, in no particular order. */
export async function findMembers(
  tx: ReadSql,
  storeId: string,
  groupId: string,
  limit: number,
): Promise<string[]> {
  const rows = await tx<{ customerId: string }[]>`
    select customer_id from customer_group_memberships
    where store_id = ${storeId} and group_id = ${groupId} limit ${limit}`;
  return rows.map((row) => row.customerId);
}

/** Group of a customer. */
export interface GroupOfCustomer {
  groupId: string;
  name: string;
  priceListId: string;
  priority: number;
}

/** Returns the groups of which a customer is a member. */
export async function findGroupsOf(
  sql: ReadSql,
  storeId: string,
  customerId: string,
): Promise<GroupOfCustomer[]> {
  return await sql<GroupOfCustomer[]>`
    select g.group_id, g.name, g.price_list_id, g.priority
    from customer_group_memberships m
    join shopper_groups g on g.store_id = m.store_id and g.group_id = m.group_id
    where m.store_id = ${storeId} and m.customer_id = ${customerId}`;
}

/** Membership of a customer in the group of the query. */
export interface Member {
  customerId: string;
  assignedAt: Date;
}

/** Returns up to `limit` members of a group in the order of their IDs, after a given one. */
export async function listMembers(
  sql: ReadSql,
  storeId: string,
  groupId: string,
  { limit, after }: { limit: number; after?: string | undefined },
): Promise<Member[]> {
  return await sql<Member[]>`
    select customer_id, assigned_at from customer_group_memberships
    where store_id = ${storeId} and group_id = ${groupId}
      ${after === undefined ? sql`` : sql`and customer_id > ${after}`}
    order by customer_id limit ${limit}`;
}
