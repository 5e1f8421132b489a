/** Searches for the persons of a store: customers, guests, and persons in the erasure memory. */
import type { CustomerRow } from "./customers.ts";
import { personsWith } from "./email_hashes.ts";
import type { ReadSql } from "./store_reader.ts";

/** A person whom the store knows by an ID. */
export interface PersonRow {
  customerId: string;
  /** Null: a guest, or a person whom only the erasure memory contains. */
  status: CustomerRow["status"] | null;
  isGuest: boolean;
  email: string | null;
  firstName: string | null;
  lastName: string | null;
  /** Time of the last erasure; null without one. */
  erasedAt: Date | null;
  /** Number of the GDPR requests about the person. */
  requests: number;
  /** Whether an erasure of the person is open. */
  isBeingErased: boolean;
  /** Receipts of the person's erasures, newest first. They outlive the requests. */
  receipts: { requestId: string; sequence: number }[];
}

/** Returns those persons that the store knows, in no particular order. */
export async function findPersons(
  sql: ReadSql,
  storeId: string,
  customerIds: readonly string[],
): Promise<PersonRow[]> {
  return await sql<PersonRow[]>`
    select p.customer_id, c.status, g.customer_id is not null as is_guest, c.email, c.first_name, c.last_name,
      s.erased_at,
      (select count(*)::int from gdpr_requests r
       where r.store_id = ${storeId} and r.customer_id = p.customer_id) as requests,
      (select coalesce(
         jsonb_agg(jsonb_build_object('requestId', e.request_id, 'sequence', e.sequence) order by e.sequence desc), '[]')
       from erasure_receipts e
       where e.store_id = ${storeId} and e.document ->> 'customerId' = p.customer_id::text) as receipts,
      exists (select from gdpr_requests r
              where r.store_id = ${storeId} and r.customer_id = p.customer_id and r.type = 'ERASURE'
                and r.status <> 'COMPLETED') as is_being_erased
    from unnest(${customerIds as string[]}::uuid[]) as p (customer_id)
    left join customers c on c.store_id = ${storeId} and c.customer_id = p.customer_id
    left join guests g on g.store_id = ${storeId} and g.customer_id = p.customer_id
    left join erased_subjects s on s.store_id = ${storeId} and s.customer_id = p.customer_id
    where coalesce(c.customer_id, g.customer_id, s.customer_id) is not null`;
}

/** Returns the IDs of the persons who have or had an email, by the keyed hashes of the email. */
export async function findPersonsByEmailHash(
  sql: ReadSql,
  storeId: string,
  hashes: readonly Uint8Array[],
  limit: number,
): Promise<string[]> {
  const rows = await sql<{ customerId: string }[]>`
    select distinct customer_id from (${personsWith(sql, storeId, hashes)}) as persons
    order by customer_id limit ${limit}`;
  return rows.map(({ customerId }) => customerId);
}

/** A request and its subject. */
export interface RequestOfPerson {
  requestId: string;
  customerId: string;
}

/**
 * Returns requests whose ID, or whose subject's ID, ends with the digits.
 *
 * @param digits eight hexadecimal digits in lower case
 * @param limit maximum for each of the two
 */
export async function findRequestsByLastDigits(
  sql: ReadSql,
  digits: string,
  limit: number,
): Promise<RequestOfPerson[]> {
  return await sql<RequestOfPerson[]>`
    select request_id, customer_id from find_requests_by_last_digits(${digits}, ${limit})
    order by request_id`;
}
