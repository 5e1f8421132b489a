/** What is asked on the shopping path. Questions of one tick become one statement, whatever their stores. */
import DataLoader from "dataloader";
import type { Sql } from "./connect.ts";

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

export interface Address {
  addressId: string;
  line1: string;
  line2: string | null;
  city: string;
  state: string | null;
  country: string;
  postalCode: string | null;
  isDefaultShipping: boolean;
  isDefaultBilling: boolean;
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

/** Both answer undefined for a customer that the store does not have. */
export interface Lookups {
  findCustomer(key: CustomerKey): Promise<Customer | undefined>;
  findCustomerGroups(key: CustomerKey): Promise<CustomerGroups | undefined>;
}

/** How long PostgreSQL may keep silent, in milliseconds, before it counts as away. */
const ANSWER_LIMIT_MS = 3_000;

/** @param sql a pool of the role customer_reader */
export function createLookups(sql: Sql): Lookups {
  const customers = batched((stores, ids) => selectCustomers(sql, stores, ids));
  const groups = batched((stores, ids) => selectGroups(sql, stores, ids));
  return { findCustomer: (key) => customers.load(key), findCustomerGroups: (key) => groups.load(key) };
}

type Select<Answer> = (storeIds: string[], customerIds: string[]) => Promise<(Answer | undefined)[]>;

/** Nothing is remembered between ticks: an answer is always as fresh as its statement. */
function batched<Answer>(select: Select<Answer>): DataLoader<CustomerKey, Answer | undefined> {
  return new DataLoader(
    (keys) => inTime(select(keys.map((key) => key.storeId), keys.map((key) => key.customerId))),
    { cache: false, maxBatchSize: 500, batchScheduleFn: setImmediate },
  );
}

async function inTime<T>(answer: Promise<T>): Promise<T> {
  const silence = Promise.withResolvers<never>();
  const limit = setTimeout(() => {
    const error = new Error(`PostgreSQL has not answered within ${ANSWER_LIMIT_MS} ms`);
    silence.reject(Object.assign(error, { code: "ETIMEDOUT" }));
  }, ANSWER_LIMIT_MS);
  try {
    return await Promise.race([answer, silence.promise]);
  } finally {
    clearTimeout(limit);
  }
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

async function selectGroups(sql: Sql, storeIds: string[], customerIds: string[]) {
  const rows = await sql<GroupRow[]>`
    select * from lookup_customer_groups(${storeIds}::uuid[], ${customerIds}::uuid[])`;
  const answers = new Array<CustomerGroups | undefined>(storeIds.length).fill(undefined);
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

async function selectCustomers(sql: Sql, storeIds: string[], customerIds: string[]) {
  const rows = await sql<CustomerRow[]>`
    select * from lookup_customers(${storeIds}::uuid[], ${customerIds}::uuid[])`;
  const answers = new Array<Customer | undefined>(storeIds.length).fill(undefined);
  for (const { position, addresses, groups, ...customer } of rows) {
    answers[position - 1] = { ...customer, addresses: addresses ?? [], groups: groups ?? [] };
  }
  return answers;
}
