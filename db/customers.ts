/** Rows of the customers. */
import type { ProfileValues } from "../domain/profile.ts";
import type { Tx } from "./connect.ts";
import type { ReadSql } from "./store_reader.ts";

export interface CustomerRow extends ProfileValues {
  status: "ACTIVE" | "SUSPENDED" | "CLOSED";
  /** Counts the changes of profile, status and addresses. */
  version: number;
  /** Counts the changes of group memberships, which `version` does not. */
  membershipVersion: number;
  anonymizedAt: Date | null;
  /** Since when the account is closed; null while it is not. */
  closedAt: Date | null;
  /** Number of legal holds in effect. */
  holds: number;
}

/** Numbers of a customer's related rows. */
export interface CustomerCounts {
  addresses: number;
  groups: number;
}

/**
 * Locks the customer and counts its related rows; the count is a separate statement, to see what was
 * committed while the lock waited.
 */
export async function lockCustomer(
  tx: Tx,
  storeId: string,
  customerId: string,
): Promise<(CustomerRow & CustomerCounts) | undefined> {
  const [[row], [counts]] = await Promise.all([
    tx<CustomerRow[]>`
      select email, first_name, last_name, phone, locale, status, version,
        membership_version, anonymized_at, holds, closed_at
      from customers where store_id = ${storeId} and customer_id = ${customerId} for update`,
    tx<[CustomerCounts]>`
      select
        (select count(*)::int from customer_addresses
         where store_id = ${storeId} and customer_id = ${customerId}) as addresses,
        (select count(*)::int from customer_group_memberships
         where store_id = ${storeId} and customer_id = ${customerId}) as groups`,
  ]);
  return row && { ...row, ...counts };
}

/** Returns where a customer can be reached; undefined for an unknown and for an erased customer. */
export async function findRecipient(
  sql: ReadSql,
  storeId: string,
  customerId: string,
): Promise<{ email: string; locale: string | null } | undefined> {
  const [row] = await sql<{ email: string; locale: string | null }[]>`
    select email, locale from customers
    where store_id = ${storeId} and customer_id = ${customerId} and email is not null`;
  return row;
}

/** Whether an erasure has emptied the row of a customer; undefined: the store has no such customer. */
export async function isCustomerErased(
  sql: ReadSql,
  storeId: string,
  customerId: string,
): Promise<boolean | undefined> {
  const [row] = await sql<{ isErased: boolean }[]>`
    select email is null as is_erased from customers where store_id = ${storeId} and customer_id = ${customerId}`;
  return row?.isErased;
}

/** Returns the ID of the customer who has the email, in any spelling; undefined if none has it. */
export async function findCustomerByEmail(
  sql: ReadSql,
  storeId: string,
  email: string,
): Promise<string | undefined> {
  const [row] = await sql<{ customerId: string }[]>`
    select customer_id from customers
    where store_id = ${storeId} and lower(email) = lower(${email}) and anonymized_at is null`;
  return row?.customerId;
}

/** Returns the version of a customer, which may be erased; 0 for an unknown one. */
export async function findCustomerVersion(tx: Tx, storeId: string, customerId: string): Promise<number> {
  const [row] = await tx<{ version: number }[]>`
    select version from customers where store_id = ${storeId} and customer_id = ${customerId}`;
  return row?.version ?? 0;
}

/** Returns for each existing customer and guest whether it is anonymized. */
export async function findAnonymized(
  tx: Tx,
  storeId: string,
  customerIds: readonly string[],
): Promise<Map<string, boolean>> {
  const rows = await tx<{ customerId: string; anonymized: boolean }[]>`
    select customer_id, anonymized_at is not null as anonymized from customers
    where store_id = ${storeId} and customer_id = any(${customerIds as string[]}::uuid[])
    union all
    select customer_id, sealed_contact is null from guests
    where store_id = ${storeId} and customer_id = any(${customerIds as string[]}::uuid[])`;
  return new Map(rows.map(({ customerId, anonymized }) => [customerId, anonymized]));
}
