/** What is asked on the shopping path. Questions of one tick become one statement, whatever their stores. */
import { batched } from "./_batches.ts";
import type { Sql } from "./connect.ts";
import type { AddressValues } from "./customer_addresses.ts";

/** A customer within its store; both UUIDs in lower case. */
export interface CustomerKey {
  storeId: string;
  customerId: string;
}

/** That a customer is in a group, with what the group decides. */
export interface Membership {
  groupId: string;
  name: string;
  priceListId: string;
  priority: number;
  /** Milliseconds since the epoch. */
  assignedAt: number;
}

/** The groups in resolution order; empty when anonymised. */
export interface CustomerGroups {
  anonymized: boolean;
  memberships: Membership[];
}

export interface Address extends AddressValues {
  addressId: string;
}

/** A whole customer as one moment shows it; personal values are null once anonymised. */
export interface Customer {
  storeId: string;
  customerId: string;
  email: string | null;
  firstName: string | null;
  lastName: string | null;
  phone: string | null;
  locale: string | null;
  status: "ACTIVE" | "SUSPENDED" | "CLOSED";
  version: number;
  createdAt: Date;
  updatedAt: Date;
  anonymizedAt: Date | null;
  addresses: Address[];
  /** In resolution order. */
  groups: Membership[];
}

/** An email within a store. */
export interface EmailKey {
  storeId: string;
  email: string;
}

/** All answer undefined for a customer that the store does not have. */
export interface Lookups {
  findCustomer(key: CustomerKey): Promise<Customer | undefined>;
  findCustomerGroups(key: CustomerKey): Promise<CustomerGroups | undefined>;
  /** The id of the customer who has the email, in whatever case it is written. */
  findCustomerId(key: EmailKey): Promise<string | undefined>;
}

/** @param sql a pool of the role customer_reader; four connections are all that lookups can use */
export function createLookups(sql: Sql): Lookups {
  return {
    findCustomer: batched((keys: readonly CustomerKey[]) => selectCustomers(sql, keys)),
    findCustomerGroups: batched((keys: readonly CustomerKey[]) => selectGroups(sql, keys)),
    findCustomerId: batched((keys: readonly EmailKey[]) => selectIds(sql, keys)),
  };
}

type GroupRow = {
  position: number;
  anonymized: boolean;
  groupId: string | null;
  name: string;
  priceListId: string;
  priority: number;
  assignedAt: Date;
};

async function selectGroups(sql: Sql, keys: readonly CustomerKey[]) {
  const [storeIds, customerIds] = columns(keys);
  const rows = await sql<GroupRow[]>`
    select * from lookup_customer_groups(${storeIds}::uuid[], ${customerIds}::uuid[])`;
  const answers = new Array<CustomerGroups | undefined>(keys.length).fill(undefined);
  for (const { position, anonymized, groupId, name, priceListId, priority, assignedAt } of rows) {
    const answer = answers[position - 1] ??= { anonymized, memberships: [] };
    if (groupId === null) continue;
    answer.memberships.push({ groupId, name, priceListId, priority, assignedAt: assignedAt.getTime() });
  }
  return answers;
}

type CustomerRow = Omit<Customer, "addresses" | "groups"> & {
  position: number;
  addresses: Address[] | null;
  groups: Membership[] | null;
};

async function selectCustomers(sql: Sql, keys: readonly CustomerKey[]) {
  const [storeIds, customerIds] = columns(keys);
  const rows = await sql<CustomerRow[]>`
    select * from lookup_customers(${storeIds}::uuid[], ${customerIds}::uuid[])`;
  const answers = new Array<Customer | undefined>(keys.length).fill(undefined);
  for (const { position, addresses, groups, ...customer } of rows) {
    answers[position - 1] = { ...customer, addresses: addresses ?? [], groups: groups ?? [] };
  }
  return answers;
}

async function selectIds(sql: Sql, keys: readonly EmailKey[]) {
  const [storeIds, emails] = [keys.map((key) => key.storeId), keys.map((key) => key.email)];
  const rows = await sql<{ position: number; customerId: string }[]>`
    select * from lookup_customer_ids(${storeIds}::uuid[], ${emails}::text[])`;
  const answers = new Array<string | undefined>(keys.length).fill(undefined);
  for (const { position, customerId } of rows) answers[position - 1] = customerId;
  return answers;
}

function columns(keys: readonly CustomerKey[]): [storeIds: string[], customerIds: string[]] {
  return [keys.map((key) => key.storeId), keys.map((key) => key.customerId)];
}
