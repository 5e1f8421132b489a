-- The reason of a decision is for the customer, who reads it in the request and in the access document. A note is for
-- staff only. It stays until the erasure of the customer, as the reason does.
alter table actor_events add column note text check (length(note) <= 500);
alter table actor_events add column note_given boolean not null default false;
grant update (note) on actor_events to customer_api;
drop policy only_emptied on actor_events;
create policy only_emptied on actor_events as restrictive for update to customer_api
  using (true) with check (reason is null and note is null);

-- Texts that were written for other staff.
update actor_events set note = reason, note_given = true, reason = null, reason_given = false
  where reason_given and (actor_kind = 'customer' or event_type in ('release', 'retry', 'confirm', 'withdraw'));

-- Why staff have cancelled the request, for the customer; null without a reason, and after the erasure.
alter table gdpr_requests add column cancellation_reason text check (length(cancellation_reason) <= 500);

-- As in 0029, with the reason.
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
  completed_at timestamptz,
  due_at timestamptz,
  version integer,
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
  select keys.position::integer, r.request_id, r.type, r.status, r.outcome, r.created_at, r.completed_at, r.due_at,
    r.version,
    case
      when r.fetch_wait_ends_at is not null then r.fetch_wait_ends_at
      when r.type = 'ERASURE' and r.status = 'PENDING' and (r.snapshot->'context'->>'startsAt')::numeric / 1000 > extract(epoch from now())
      then to_timestamp((r.snapshot->'context'->>'startsAt')::numeric / 1000)
    end,
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
    select jsonb_agg(jsonb_build_object('service', q.service, 'state', q.state) order by q.service) as participants
    from gdpr_participants q where q.store_id = r.store_id and q.request_id = r.request_id
  ) p on true
  order by keys.position, r.created_at desc, r.request_id desc;
end
$$;

revoke all on function lookup_gdpr_requests(uuid[], uuid[], uuid[], uuid[], integer[]) from public;
grant execute on function lookup_gdpr_requests(uuid[], uuid[], uuid[], uuid[], integer[]) to customer_reader;
