-- Notices about a request to its customer: one row for each. `delivery` repeats the state of the machine in words:
-- WAITING for the end of an erasure, DUE for delivery, DELIVERED, WAIVED by staff, or EXPIRED without either.
-- An erasure seals the recipient (AES-GCM with the key of key_id) until the notice is settled.
create table gdpr_notices (
  store_id uuid not null,
  notice_id uuid not null,
  request_id uuid not null,
  customer_id uuid not null,
  kind text not null check (kind in (
    'RECEIVED', 'IDENTITY_NEEDED', 'EXTENDED', 'REFUSED', 'CANCELLED', 'READY', 'ERASED', 'RECTIFIED'
  )),
  delivery text not null check (delivery in ('WAITING', 'DUE', 'DELIVERED', 'WAIVED', 'EXPIRED')),
  created_at timestamptz not null,
  -- The notice is overdue after it.
  due_at timestamptz not null,
  -- Number of times that the notice was published as due.
  attempts integer not null check (attempts >= 0),
  settled_at timestamptz,
  waiver text check (waiver in (
    'SENT_BY_LETTER', 'GIVEN_BY_PHONE', 'GIVEN_IN_PERSON', 'UNREACHABLE', 'NOT_REQUIRED'
  )),
  waived_by uuid,
  sealed_recipient bytea,
  key_id text,
  machine text not null,
  snapshot jsonb not null,
  version integer not null check (version > 0),
  primary key (store_id, notice_id),
  foreign key (store_id, request_id) references gdpr_requests (store_id, request_id),
  constraint gdpr_notices_settled check ((delivery in ('WAITING', 'DUE')) = (settled_at is null)),
  constraint gdpr_notices_waived check (delivery <> 'WAIVED' or (waiver is not null and waived_by is not null)),
  constraint gdpr_notices_sealed check ((sealed_recipient is null) = (key_id is null)),
  constraint gdpr_notices_destroyed check (sealed_recipient is null or delivery in ('WAITING', 'DUE'))
);

create index gdpr_notices_request on gdpr_notices (store_id, request_id, created_at);
create index gdpr_notices_unsettled on gdpr_notices (store_id, customer_id) where delivery in ('WAITING', 'DUE');
create index gdpr_notices_undelivered on gdpr_notices (store_id, due_at) where delivery in ('DUE', 'EXPIRED');

alter table gdpr_notices enable row level security;
create policy one_store on gdpr_notices to customer_api
  using (store_id = (select current_store())) with check (store_id = (select current_store()));
grant select, insert, update on gdpr_notices to customer_api;

-- Legal ground of a refusal, from a closed list; null for refusals of earlier versions and for all other requests.
alter table gdpr_requests add column refusal_ground text check (refusal_ground in (
  'MANIFESTLY_UNFOUNDED', 'EXCESSIVE', 'IDENTITY_NOT_PROVEN', 'RIGHTS_OF_OTHERS', 'LEGAL_OBLIGATION', 'LEGAL_CLAIMS',
  'FREEDOM_OF_EXPRESSION', 'PUBLIC_INTEREST', 'NO_RIGHT'
));

-- The notices of requests and the ground of a refusal, each question about one request of one customer: nothing personal.
create function lookup_gdpr_notices(store_ids uuid[], customer_ids uuid[], request_ids uuid[])
returns table ("position" integer, read_at timestamptz, refusal_ground text, notices jsonb)
language plpgsql stable security definer
set search_path = public, pg_temp set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
begin
  return query
  select keys.position::integer, now(), r.refusal_ground, coalesce(n.notices, '[]')
  from unnest(store_ids, customer_ids, request_ids) with ordinality as keys (store_id, customer_id, request_id, position)
  join gdpr_requests r
    on r.store_id = keys.store_id and r.request_id = keys.request_id and r.customer_id = keys.customer_id
  left join lateral (
    select jsonb_agg(jsonb_build_object('kind', q.kind, 'delivery', q.delivery, 'createdAt', q.created_at,
      'dueAt', q.due_at, 'settledAt', q.settled_at) order by q.created_at, q.notice_id) as notices
    from gdpr_notices q where q.store_id = r.store_id and q.request_id = r.request_id
  ) n on true;
end
$$;

revoke all on function lookup_gdpr_notices(uuid[], uuid[], uuid[]) from public;
grant execute on function lookup_gdpr_notices(uuid[], uuid[], uuid[]) to customer_reader;

-- Undelivered notices of all stores by kind, for the metrics.
create function count_gdpr_notices()
returns table (kind text, due integer, overdue integer, expired integer)
language sql stable security definer set search_path = public, pg_temp
as $$
  select kind, count(*) filter (where delivery = 'DUE')::int,
    count(*) filter (where delivery = 'DUE' and due_at < now())::int,
    count(*) filter (where delivery = 'EXPIRED')::int
  from gdpr_notices where delivery in ('DUE', 'EXPIRED') group by kind
$$;

revoke all on function count_gdpr_notices() from public;
grant execute on function count_gdpr_notices() to customer_worker;
