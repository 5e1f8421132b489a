/** Lookups of the shopping path. Lookups of one tick share one statement, across stores. */
import { batched, lookupsOf, type Wanted } from "./_batches.ts";
import type { Sql } from "./connect.ts";
import type { ProfileValues } from "../domain/profile.ts";
import type { AddressValues } from "./customer_addresses.ts";

export type { Wanted } from "./_batches.ts";

/** Key of a customer within its store; both UUIDs in lower case. */
export interface CustomerKey {
  storeId: string;
  customerId: string;
}

/** Customer whose groups are looked up, with the versions that the caller has seen. 0 or absent: none. */
export interface GroupsKey extends CustomerKey {
  minVersion?: number;
  minMembershipVersion?: number;
}

/** Membership of a customer in a group, with the group's settings. */
export interface Membership {
  groupId: string;
  name: string;
  priceListId: string;
  priority: number;
  /** Milliseconds since the epoch. */
  assignedAt: number;
}

/** A suspended or closed customer may read the account, but must not order. */
export type CustomerStatus = "ACTIVE" | "SUSPENDED" | "CLOSED";

/** Groups in resolution order; empty when anonymized. */
export interface CustomerGroups {
  anonymized: boolean;
  status: CustomerStatus;
  memberships: Membership[];
}

export interface Address extends AddressValues {
  addressId: string;
}

/** Whole customer from one snapshot; personal values are null once anonymized. */
export interface Customer extends ProfileValues {
  storeId: string;
  customerId: string;
  status: CustomerStatus;
  version: number;
  /** Counts the changes of `groups`, which `version` does not. */
  membershipVersion: number;
  createdAt: Date;
  updatedAt: Date;
  anonymizedAt: Date | null;
  addresses: Address[];
  /** In resolution order. */
  groups: Membership[];
}

/** Email within a store. */
export interface EmailKey {
  storeId: string;
  email: string;
}

/**
 * Lookups by key. All return undefined for an unknown customer; a lookup that is no longer `wanted` is
 * skipped.
 */
export interface Lookups {
  findCustomer(key: CustomerKey, wanted?: Wanted): Promise<Customer | undefined>;
  /** At the primary, an answer is never older than what a caller has seen, so the versions are not compared. */
  findCustomerGroups(key: GroupsKey, wanted?: Wanted): Promise<CustomerGroups | undefined>;
  /** Returns the ID of the customer with the email, which matches in any case. */
  findCustomerId(key: EmailKey, wanted?: Wanted): Promise<string | undefined>;
}

/**
 * @param sql a pool of the role customer_reader; lookups use at most four connections
 * @param distributed whether the tables are distributed by store: then a statement is about one store
 */
export function createLookups(sql: Sql, distributed = false): Lookups {
  const lookup = lookupsOf(sql, distributed);
  return {
    findCustomer: lookup("lookup_customers", (keys: readonly CustomerKey[]) => selectCustomers(sql, keys)),
    findCustomerGroups: lookup(
      "lookup_customer_groups",
      (keys: readonly CustomerKey[]) => selectGroups(sql, keys),
    ),
    findCustomerId: lookup("lookup_customer_ids", (keys: readonly EmailKey[]) => selectIds(sql, keys)),
  };
}

type GroupRow = {
  position: number;
  anonymized: boolean;
  status: CustomerStatus;
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
  return groupsOf(rows, keys.length);
}

function groupsOf(rows: readonly GroupRow[], count: number): (CustomerGroups | undefined)[] {
  const answers = new Array<CustomerGroups | undefined>(count).fill(undefined);
  for (const { position, anonymized, status, groupId, ...group } of rows) {
    const answer = answers[position - 1] ??= { anonymized, status, memberships: [] };
    if (groupId === null) continue;
    const { name, priceListId, priority, assignedAt } = group;
    answer.memberships.push({ groupId, name, priceListId, priority, assignedAt: assignedAt.getTime() });
  }
  return answers;
}

/** Versions of a customer as a replica knows them. */
export interface CustomerVersions {
  version: number;
  membershipVersion: number;
}

/** Time in which a replica has to respond, in milliseconds. The primary is asked after it. */
const REPLICA_ANSWER_MS = 1_000;
const REPLICA_STATEMENTS = { underWay: 2, maxQuestions: 500, answerLimitMs: REPLICA_ANSWER_MS };

/** Lookups of a replica: groups, and groups together with the versions to which they belong. */
export interface ReplicaLookups {
  findCustomerGroups: Lookups["findCustomerGroups"];
  findVersionedGroups(
    key: CustomerKey,
    wanted?: Wanted,
  ): Promise<{ groups: CustomerGroups; versions: CustomerVersions } | undefined>;
}

/** @param sql a pool of the role customer_reader that accepts a replica */
export function createReplicaLookups(sql: Sql): ReplicaLookups {
  return {
    findCustomerGroups: batched(
      "lookup_customer_groups",
      (keys: readonly CustomerKey[]) => selectGroups(sql, keys),
      sql,
      REPLICA_STATEMENTS,
    ),
    findVersionedGroups: batched(
      "lookup_customer_versions",
      (keys: readonly CustomerKey[]) => selectVersionedGroups(sql, keys),
      sql,
      REPLICA_STATEMENTS,
    ),
  };
}

type VersionedRow = GroupRow & CustomerVersions;

/** One statement, so that groups and versions are of one snapshot. */
async function selectVersionedGroups(sql: Sql, keys: readonly CustomerKey[]) {
  const [storeIds, customerIds] = columns(keys);
  const rows = await sql<VersionedRow[]>`
    select * from lookup_customer_groups(${storeIds}::uuid[], ${customerIds}::uuid[])
    join lookup_customer_versions(${storeIds}::uuid[], ${customerIds}::uuid[]) using (position)
    order by position, priority desc, assigned_at, group_id`;
  const versions = new Map(rows.map((row) => [row.position, row]));
  return groupsOf(rows, keys.length).map((groups, at) =>
    groups && { groups, versions: versions.get(at + 1)! }
  );
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
  // In lower case here: that of the database depends on its collation.
  const [storeIds, emails] = [keys.map((key) => key.storeId), keys.map(({ email }) => email.toLowerCase())];
  const rows = await sql<{ position: number; customerId: string }[]>`
    select * from lookup_customer_ids(${storeIds}::uuid[], ${emails}::text[])`;
  const answers = new Array<string | undefined>(keys.length).fill(undefined);
  for (const { position, customerId } of rows) answers[position - 1] = customerId;
  return answers;
}

function columns(keys: readonly CustomerKey[]): [storeIds: string[], customerIds: string[]] {
  return [keys.map((key) => key.storeId), keys.map((key) => key.customerId)];
}
