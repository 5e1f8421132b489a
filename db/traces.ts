/** Looks for a subject's own values where none may stand: what an erasure cannot empty by a column's name. */
import type { Tx } from "./connect.ts";

/** Shorter values stand everywhere by chance. */
const SHORTEST = 4;

/**
 * How many rows about a customer quote one of its values: journal, outbox, effects and answers, which hold ids and
 * names of fields only, and what staff and services have written about its requests.
 */
export async function countTraces(
  tx: Tx,
  storeId: string,
  customerId: string,
  values: readonly string[],
): Promise<number> {
  const wanted = values.filter((value) => value.length >= SHORTEST);
  if (wanted.length === 0) return 0;
  const [row] = await tx<{ traces: number }[]>`
    with requests as (
      select request_id from gdpr_requests where store_id = ${storeId} and customer_id = ${customerId}
    ), texts as (
      select to_jsonb(e) #>> '{}' as text from actor_events e
      where e.store_id = ${storeId}
        and (e.actor_id = ${customerId} or e.actor_id in (select request_id from requests))
      union all
      select o.payload::text || o.headers::text from outbox o
      where o.store_id = ${storeId} and o.key = ${customerId}
      union all
      select f.params::text || coalesce(f.last_error, '') from effects f
      where f.store_id = ${storeId}
        and (f.actor_id = ${customerId} or f.actor_id in (select request_id from requests))
      union all
      select coalesce(k.answer::text, '') from idempotency_keys k
      where k.store_id = ${storeId} and k.principal_id = ${customerId}
      union all
      select concat_ws(' ', q.hold_reason, q.extension_reason, q.refusal_reason, q.snapshot::text) from gdpr_requests q
      where q.store_id = ${storeId} and q.customer_id = ${customerId}
      union all
      select concat_ws(' ', p.last_error, p.evidence, p.waiver_reason) from gdpr_participants p
      where p.store_id = ${storeId} and p.request_id in (select request_id from requests)
    )
    select count(*)::int as traces from texts
    where exists (select from unnest(${wanted}::text[]) value where position(lower(value) in lower(text)) > 0)`;
  return row?.traces ?? 0;
}
