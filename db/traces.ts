/**
 * Search for a subject's own values in rows where none are allowed, which an erasure cannot empty by a
 * column's name.
 */
import type { Tx } from "./connect.ts";
import type { ReadSql } from "./store_reader.ts";

/** Shorter values occur everywhere by chance. */
const SHORTEST = 3;

/** Returns a pattern that matches any of the values as whole words; undefined where none is long enough. */
function quoting(values: readonly string[]): string | undefined {
  const wanted = values.filter((value) => value.length >= SHORTEST);
  if (wanted.length === 0) return undefined;
  const escaped = wanted.map((value) => value.replace(/[^\p{L}\p{N}\s]/gu, "\\$&"));
  return `(^|[^[:alnum:]_])(${escaped.join("|")})($|[^[:alnum:]_])`;
}

/**
 * Finds texts that quote one of the values in the rows that machines have written about a customer: journal,
 * outbox, effects, answers and snapshots, which hold IDs, field names and states only. Each is returned as a
 * digest, by which it can be found once the values are gone.
 */
export async function findTraces(
  tx: Tx,
  storeId: string,
  customerId: string,
  values: readonly string[],
): Promise<string[]> {
  const pattern = quoting(values);
  if (pattern === undefined) return [];
  const rows = await tx<{ digest: string }[]>`
    select distinct digest from (${
    writings(tx, storeId, customerId)
  }) w where text ~* ${pattern} order by digest`;
  return rows.map(({ digest }) => digest);
}

/** Returns how many of the traces still exist. */
export async function countTraces(
  tx: ReadSql,
  storeId: string,
  customerId: string,
  digests: readonly string[],
): Promise<number> {
  if (digests.length === 0) return 0;
  const [row] = await tx<[{ count: number }]>`
    select count(distinct digest)::int as count from (${writings(tx, storeId, customerId)}) w
    where digest = any(${digests as string[]})`;
  return row.count;
}

/**
 * Returns every text that machines have written about a customer, without the machines' own words (states,
 * kinds, services), IDs, times and hashes: a customer may have one of those words as a name.
 */
function writings(tx: ReadSql, storeId: string, customerId: string) {
  return tx`
    with about as (
      select ${customerId}::uuid as id
      union all
      select request_id from gdpr_requests where store_id = ${storeId} and customer_id = ${customerId}
    ), documents as (
      select e.actor_id::text || e.sequence as id,
        to_jsonb(e) - '{actor_kind,event_type,state_before,state_after,transitions,about,principal_type,principal_service}'::text[] as document
      from actor_events e where e.store_id = ${storeId} and e.actor_id in (select id from about)
      union all
      select o.event_id::text, jsonb_build_array(
        o.payload - '{action,actor,target,before,after,participants,status}'::text[],
        o.headers - 'traceparent')
      from outbox o where o.store_id = ${storeId} and o.key = ${customerId}
      union all
      select f.effect_id::text, (f.params - 'service') || jsonb_build_object('error', f.last_error)
      from effects f where f.store_id = ${storeId} and f.actor_id in (select id from about)
      union all
      select k.key, k.answer - 'state' from idempotency_keys k
      where k.store_id = ${storeId} and k.principal_id = ${customerId}
      union all
      select q.request_id::text, (q.snapshot -> 'context') - 'participants' from gdpr_requests q
      where q.store_id = ${storeId} and q.customer_id = ${customerId}
    )
    select encode(sha256(convert_to(id || ' ' || text, 'UTF8')), 'hex') as digest, text
    from documents, lateral (
      select leaf #>> '{}' as text
      from jsonb_path_query(document, 'strict $.** ? (@.type() == "string")') leaf
    ) leaves
    where text !~* '^([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32,}|\\d{4}-\\d\\d-\\d\\d[T ][0-9:.]+(Z|[+-][0-9:]+))$'`;
}
