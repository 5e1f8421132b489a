-- Until when the subject can cancel an erasure; null if that is not known, and for every other request.
alter table gdpr_requests add column cancellable_until timestamptz;
update gdpr_requests set cancellable_until = case snapshot #>> '{value,PENDING}'
  when 'grace' then to_timestamp((snapshot #>> '{context,startsAt}')::numeric / 1000)
  when 'waiting_for_download' then fetch_wait_ends_at
end
where type = 'ERASURE' and status = 'PENDING';

-- As in 0044, with the receipt, the check of the identity, the pause of the time limit, the hold, the extension, and why
-- participants were waived.
drop function lookup_gdpr_requests(uuid[], uuid[], uuid[], uuid[], integer[]);
create function lookup_gdpr_requests(
  store_ids uuid[], customer_ids uuid[], request_ids uuid[], after_ids uuid[], limits integer[]
)
returns table (
  "position" integer,
  request_id uuid,
  type text,
  status text,
  outcome text,
  created_at timestamptz,
  received_at timestamptz,
  completed_at timestamptz,
  due_at timestamptz,
  version integer,
  identified boolean,
  information_requested_at timestamptz,
  information_reason text,
  held boolean,
  extended boolean,
  cancellable_until timestamptz,
  exported boolean,
  fetched_at timestamptz,
  fetch_wait_ends_at timestamptz,
  reason text,
  participants jsonb
)
language plpgsql stable security definer
set search_path = public, pg_temp set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
begin
  return query
  select keys.position::integer, r.request_id, r.type, r.status, r.outcome, r.created_at, r.received_at, r.completed_at,
    r.due_at, r.version, r.identified_at is not null, r.information_requested_at,
    case when r.information_requested_at is not null then r.information_reason end,
    coalesce(r.snapshot #>> '{value,PENDING}' = 'held', false),
    coalesce((r.snapshot #>> '{context,extended}')::boolean, false),
    case when r.cancellable_until > now() then r.cancellable_until end,
    exists (
      select from gdpr_export_parts e
      where e.store_id = r.store_id and e.request_id = r.request_id
        and e.complete and e.sha256 is not null and e.expires_at > now()
    ),
    r.fetched_at, r.fetch_wait_ends_at,
    case
      when r.outcome = 'REFUSED' then r.refusal_reason
      when r.outcome = 'CANCELLED' then r.cancellation_reason
      when r.snapshot #>> '{value,PENDING}' = 'held' then r.hold_reason
      else r.extension_reason
    end,
    p.participants
  from unnest(store_ids, customer_ids, request_ids, after_ids, limits) with ordinality
    as keys (store_id, customer_id, request_id, after_id, page_size, position)
  join lateral (
    select * from gdpr_requests g
    where g.store_id = keys.store_id and g.customer_id = keys.customer_id
      and (keys.request_id is null or g.request_id = keys.request_id)
      and (keys.after_id is null or (g.created_at, g.request_id) < (
        select b.created_at, b.request_id from gdpr_requests b
        where b.store_id = keys.store_id and b.customer_id = keys.customer_id and b.request_id = keys.after_id))
    order by g.created_at desc, g.request_id desc limit keys.page_size
  ) r on true
  left join lateral (
    select jsonb_agg(jsonb_build_object('service', q.service, 'state', q.state,
      'waiverReason', case when q.state = 'WAIVED' then q.waiver_reason end) order by q.service) as participants
    from gdpr_participants q where q.store_id = r.store_id and q.request_id = r.request_id
  ) p on true
  order by keys.position, r.created_at desc, r.request_id desc;
end
$$;

revoke all on function lookup_gdpr_requests(uuid[], uuid[], uuid[], uuid[], integer[]) from public;
grant execute on function lookup_gdpr_requests(uuid[], uuid[], uuid[], uuid[], integer[]) to customer_reader;
