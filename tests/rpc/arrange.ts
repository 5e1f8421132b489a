/** Test data: inserts customers, groups and memberships into a store. */
import type { Sql } from "../../db/connect.ts";

export interface Group {
  name?: string;
  priority?: number;
  /** Defaults to a fixed time, so that groups tie by default. */
  assignedAt?: Date;
  groupId?: string;
  priceListId?: string;
  deleted?: boolean;
}

export interface Arranged {
  storeId: string;
  customerId: string;
  email: string;
  groups: { groupId: string; name: string; priceListId: string; priority: number; assignedAt: Date }[];
}

/** Inserts a customer (new by default) of a store with its own groups. */
export async function arrangeCustomer(
  admin: Sql,
  { storeId = crypto.randomUUID() as string, groups = [] as Group[], anonymized = false } = {},
): Promise<Arranged> {
  const customerId = crypto.randomUUID();
  const email = `${customerId}@example.test`;
  const now = new Date("2026-01-02T03:04:05.678Z");
  const person = anonymized
    ? { email: null, first_name: null, last_name: null, locale: null, anonymized_at: now }
    : { email, first_name: "Ada", last_name: "Loveless", locale: "de-CH", anonymized_at: null };
  await admin`
    insert into customers ${
    admin({
      store_id: storeId,
      customer_id: customerId,
      status: "ACTIVE",
      version: 1,
      created_at: now,
      updated_at: now,
      ...person,
    })
  }`;
  const arranged = groups.map((group) => {
    const groupId = group.groupId ?? crypto.randomUUID();
    return {
      groupId,
      name: group.name ?? `group ${groupId}`,
      priceListId: group.priceListId ?? crypto.randomUUID(),
      priority: group.priority ?? 0,
      assignedAt: group.assignedAt ?? now,
      deletedAt: group.deleted ? now : null,
    };
  });
  for (const { groupId, name, priceListId, priority, assignedAt, deletedAt } of arranged) {
    await admin`
      insert into shopper_groups
        (store_id, group_id, name, price_list_id, priority, version, created_at, updated_at, deleted_at)
      values (${storeId}, ${groupId}, ${name}, ${priceListId}, ${priority}, 1, ${now}, ${now}, ${deletedAt})`;
    await admin`
      insert into customer_group_memberships (store_id, customer_id, group_id, assigned_at, assigned_by)
      values (${storeId}, ${customerId}, ${groupId}, ${assignedAt}, ${crypto.randomUUID()})`;
  }
  return { storeId, customerId, email, groups: arranged };
}

/** Inserts an address of a customer. */
export async function arrangeAddress(
  admin: Sql,
  { storeId, customerId }: { storeId: string; customerId: string },
  address: { line1: string; line2?: string; shipping?: boolean; billing?: boolean },
): Promise<string> {
  const addressId = crypto.randomUUID();
  await admin`
    insert into customer_addresses ${
    admin({
      store_id: storeId,
      address_id: addressId,
      customer_id: customerId,
      line1: address.line1,
      line2: address.line2 ?? null,
      city: "Zürich",
      country: "CH",
      postal_code: "8001",
      is_default_shipping: address.shipping ?? false,
      is_default_billing: address.billing ?? false,
      created_at: new Date(),
      updated_at: new Date(),
    })
  }`;
  return addressId;
}

/** Inserts many customers at once, each in one group that has the customer's name. */
export async function arrangeMany(
  admin: Sql,
  count: number,
): Promise<{ storeId: string; customerId: string }[]> {
  return await admin<{ storeId: string; customerId: string }[]>`
    with stores as materialized (
      select place, gen_random_uuid() as store_id from generate_series(0, 4) place
    ),
    people as (
      insert into customers (store_id, customer_id, email, status, version, created_at, updated_at)
      select s.store_id, gen_random_uuid(), n || '@example.test', 'ACTIVE', 1, now(), now()
      from generate_series(1, ${count}::int) n join stores s on s.place = n % 5
      returning store_id, customer_id
    ), groups as (
      insert into shopper_groups
        (store_id, group_id, name, price_list_id, priority, version, created_at, updated_at)
      select store_id, customer_id, customer_id, customer_id, 1, 1, now(), now() from people
      returning store_id, group_id
    ), memberships as (
      insert into customer_group_memberships (store_id, customer_id, group_id, assigned_at, assigned_by)
      select store_id, group_id, group_id, now(), group_id from groups
      returning store_id, customer_id
    )
    select store_id, customer_id from memberships`;
}
