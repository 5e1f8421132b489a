/** Who is in which group. */
import type { Tx } from "./connect.ts";
import type { ReadSql } from "./store_reader.ts";

export async function isMember(
  tx: Tx,
  storeId: string,
  customerId: string,
  groupId: string,
): Promise<boolean> {
  const rows = await tx`
    select from customer_group_memberships
    where store_id = ${storeId} and customer_id = ${customerId} and group_id = ${groupId}`;
  return rows.length > 0;
}

/**
 * Whether the group can take members. It stays so until the transaction ends: a deletion waits, and then finds
 * the membership that this transaction has written.
 */
export async function holdShopperGroup(tx: Tx, storeId: string, groupId: string): Promise<boolean> {
  const rows = await tx`
    select from shopper_groups
    where store_id = ${storeId} and group_id = ${groupId} and deleted_at is null for share`;
  return rows.length > 0;
}

export interface MembershipRow {
  storeId: string;
  customerId: string;
  groupId: string;
  assignedAt: Date;
  /** ID of the principal. */
  assignedBy: string;
}

export async function insertMembership(
  tx: Tx,
  membership: MembershipRow,
): Promise<void> {
  await tx`insert into customer_group_memberships ${tx({ ...membership })}`;
}

export async function deleteMembership(
  tx: Tx,
  storeId: string,
  customerId: string,
  groupId: string,
): Promise<void> {
  await tx`
    delete from customer_group_memberships
    where store_id = ${storeId} and customer_id = ${customerId} and group_id = ${groupId}`;
}

/** Takes an erased customer out of every group. */
export async function deleteMemberships(tx: Tx, storeId: string, customerId: string): Promise<void> {
  await tx`
    delete from customer_group_memberships where store_id = ${storeId} and customer_id = ${customerId}`;
}

/** Up to `limit` members of a group, in no order that matters. */
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

/** That a customer is in the group at hand. */
export interface Member {
  customerId: string;
  assignedAt: Date;
}

/** Up to `limit` members of a group in the order of their ids, from behind one of them on. */
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
