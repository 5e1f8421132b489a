-- FULFILLED_WITH_WAIVERS: at least one participant was waived. NOT_FETCHED: the documents expired or were destroyed
-- before the customer had fetched them.
alter table gdpr_requests drop constraint gdpr_requests_outcome_check;
alter table gdpr_requests add constraint gdpr_requests_outcome_check
  check (outcome in ('FULFILLED', 'FULFILLED_WITH_WAIVERS', 'NOT_FETCHED', 'CANCELLED', 'REFUSED'));

-- An erasure that staff have proposed: the second person who has confirmed it, or the customer who has requested it
-- too; null for any other request.
alter table gdpr_requests add column confirmed_by uuid;
alter table gdpr_requests add column confirmed_at timestamptz;
-- When the customer first fetched the data of an export completely.
alter table gdpr_requests add column fetched_at timestamptz;
-- End of an erasure's wait for the customer's download; null unless it waits for it.
alter table gdpr_requests add column fetch_wait_ends_at timestamptz;

-- The staff member who has proposed the waiver or waived alone, and the second person who has confirmed it.
alter table gdpr_participants add column waiver_proposed_by uuid;
alter table gdpr_participants add column waiver_proposed_at timestamptz;
alter table gdpr_participants add column waiver_confirmed_by uuid;

-- Open requests with a proposal that a second person has to confirm or reject.
create index gdpr_requests_proposed on gdpr_requests (store_id, request_id)
  where status <> 'COMPLETED' and (snapshot #> '{context,proposals}') <> '{}'::jsonb;

-- As in 0026, with the download. An erasure that waits for it can be canceled until the end of that wait.
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
    r.fetched_at, r.fetch_wait_ends_at, p.participants
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

-- As in 0012, by outcome too, with the proposals and the waits for a download.
drop index gdpr_requests_type_status;
create index gdpr_requests_type_status on gdpr_requests (type, status, outcome);
drop function count_gdpr_requests();
create function count_gdpr_requests()
returns table (
  type text, status text, outcome text, requests bigint, held bigint, residue bigint, at_risk bigint, overdue bigint,
  proposed bigint, waiting_for_download bigint
)
language sql stable security definer set search_path = public, pg_temp
as $$
  select all_requests.type, all_requests.status, all_requests.outcome, all_requests.requests,
    coalesce(open.held, 0), coalesce(open.residue, 0), coalesce(open.at_risk, 0), coalesce(open.overdue, 0),
    coalesce(open.proposed, 0), coalesce(open.waiting_for_download, 0)
  from (
    select type, status, outcome, count(*) as requests from gdpr_requests group by type, status, outcome
  ) all_requests
  left join (
    select type, status,
      count(*) filter (where snapshot #>> '{value,PENDING}' = 'held') as held,
      count(*) filter (where snapshot #>> '{value,IN_PROGRESS}' = 'residue_found') as residue,
      count(*) filter (where snapshot #>> '{context,clock}' = 'AT_RISK' and due_at > now()) as at_risk,
      count(*) filter (where due_at <= now()) as overdue,
      count(*) filter (where snapshot #> '{context,proposals}' <> '{}'::jsonb) as proposed,
      count(*) filter (where fetch_wait_ends_at is not null) as waiting_for_download
    from gdpr_requests where status <> 'COMPLETED' group by type, status
  ) open on open.type = all_requests.type and open.status = all_requests.status
$$;

revoke all on function lookup_gdpr_requests(uuid[], uuid[], uuid[], uuid[], integer[]), count_gdpr_requests() from public;
grant execute on function lookup_gdpr_requests(uuid[], uuid[], uuid[], uuid[], integer[]) to customer_reader;
grant execute on function count_gdpr_requests() to customer_worker;
