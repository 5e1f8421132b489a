/** Fingerprint of a request, which detects that a page is outdated. */
import type { ReadSql } from "./store_reader.ts";

/** Returns a string that changes with every visible value of a request; undefined for an unknown one. */
export async function findRequestFingerprint(
  sql: ReadSql,
  storeId: string,
  requestId: string,
): Promise<string | undefined> {
  const [row] = await sql<{ fingerprint: string }[]>`
    select jsonb_build_array(
      r.version,
      (select jsonb_agg(p order by p.service) from gdpr_participants p
        where p.store_id = r.store_id and p.request_id = r.request_id),
      (select jsonb_agg(jsonb_build_array(e.effect_id, e.state, e.attempts) order by e.effect_id) from effects e
        where e.store_id = r.store_id and e.actor_kind = 'gdpr_request' and e.actor_id = r.request_id
          and e.state <> 'DONE'),
      (select jsonb_agg(jsonb_build_array(t.name, t.attempts, t.last_error) order by t.name) from timers t
        where t.store_id = r.store_id and t.actor_kind = 'gdpr_request' and t.actor_id = r.request_id),
      (select jsonb_agg(jsonb_build_array(d.part, d.uses, d.expires_at) order by d.part)
        from gdpr_export_parts d
        where d.store_id = r.store_id and d.request_id = r.request_id and d.complete
          and d.part not like 'source/%'),
      (select jsonb_agg(jsonb_build_array(n.notice_id, n.version) order by n.notice_id) from gdpr_notices n
        where n.store_id = r.store_id and n.request_id = r.request_id),
      (select jsonb_build_array(count(*), count(o.published_at)) from outbox o
        where o.store_id = r.store_id and o.key = r.customer_id::text)
    )::text as fingerprint
    from gdpr_requests r where r.store_id = ${storeId} and r.request_id = ${requestId}`;
  return row?.fingerprint;
}
