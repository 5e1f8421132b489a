-- A data subject's request for one of the four rights. The snapshot is its machine's, and holds ids and phases;
-- machine says which machine wrote it, as name@version. Reasons are the staff's own words: never the subject's data.
create table gdpr_requests (
  store_id uuid not null,
  request_id uuid not null,
  customer_id uuid not null,
  type text not null check (type in ('ACCESS', 'ERASURE', 'RECTIFICATION', 'PORTABILITY')),
  status text not null check (status in ('PENDING', 'IN_PROGRESS', 'COMPLETED')),
  outcome text check (outcome in ('FULFILLED', 'CANCELLED', 'REFUSED')),
  created_at timestamptz not null,
  completed_at timestamptz,
  due_at timestamptz not null,
  requested_by uuid not null,
  machine text not null,
  snapshot jsonb not null,
  version integer not null check (version > 0),
  -- What an erasure has emptied here: counts by table and category, and how many traces it found elsewhere.
  cleared jsonb,
  hold_reason text check (length(hold_reason) <= 500),
  extension_reason text check (length(extension_reason) <= 500),
  refusal_reason text check (length(refusal_reason) <= 500),
  primary key (store_id, request_id),
  foreign key (store_id, customer_id) references customers (store_id, customer_id),
  constraint gdpr_requests_completed check ((status = 'COMPLETED') = (outcome is not null and completed_at is not null))
);

create unique index gdpr_requests_one_open
  on gdpr_requests (store_id, customer_id, type) where status <> 'COMPLETED';
create index gdpr_requests_customer on gdpr_requests (store_id, customer_id, created_at);
create index gdpr_requests_open_due on gdpr_requests (store_id, due_at) where status <> 'COMPLETED';

-- A service that takes part in a request: a source of data for access and portability, one that has to confirm
-- for an erasure. Evidence is what the service itself has said; the waiver's reason is the staff's own words.
create table gdpr_participants (
  store_id uuid not null,
  request_id uuid not null,
  service text not null,
  state text not null check (state in ('ASKED', 'RETRYING', 'OVERDUE', 'RECEIVED', 'CONFIRMED', 'WAIVED')),
  attempts integer not null default 0,
  next_attempt_at timestamptz,
  last_error text,
  evidence text check (length(evidence) <= 2000),
  waiver_reason text check (length(waiver_reason) <= 500),
  settled_at timestamptz,
  primary key (store_id, request_id, service),
  foreign key (store_id, request_id) references gdpr_requests (store_id, request_id)
);

-- A part of an export: what a source has delivered while it is collected, then the finished documents. Its
-- bytes stand in gdpr_exports. A document that is not complete expires when whoever writes it has to renew its
-- claim. Uses is the number of the newest link that has fetched the part: no older one may, nor this one again.
create table gdpr_export_parts (
  store_id uuid not null,
  request_id uuid not null,
  part text not null,
  media_type text not null,
  records integer not null default 0,
  bytes bigint not null default 0,
  sha256 bytea,
  -- Where a source goes on when it is asked again; null once it has delivered everything.
  resume_after text,
  complete boolean not null default false,
  uses integer not null default 0,
  expires_at timestamptz not null,
  primary key (store_id, request_id, part),
  foreign key (store_id, request_id) references gdpr_requests (store_id, request_id)
);

create index gdpr_export_parts_expiry on gdpr_export_parts (expires_at);

-- The encrypted bytes of a part, in order: AES-GCM, the nonce first, bound to the place where they stand.
create table gdpr_exports (
  store_id uuid not null,
  request_id uuid not null,
  part text not null,
  chunk integer not null,
  bytes bytea not null,
  primary key (store_id, request_id, part, chunk),
  foreign key (store_id, request_id, part)
    references gdpr_export_parts (store_id, request_id, part) on delete cascade
);

-- The erasure memory: who has left, so that nobody comes back by a backup or an import. The hash is an HMAC of the
-- email in lower case.
create table erased_subjects (
  store_id uuid not null,
  customer_id uuid not null,
  email_hash bytea not null,
  erased_at timestamptz not null,
  primary key (store_id, customer_id)
);

create index erased_subjects_newest on erased_subjects (erased_at);

-- The newest erasure of any store that this database remembers: older than the newest one that the platform has
-- been told of, it tells that the database was restored.
create function lookup_last_erasure() returns timestamptz
language sql stable security definer set search_path = public, pg_temp
as 'select max(erased_at) from erased_subjects';

revoke all on function lookup_last_erasure() from public;
grant execute on function lookup_last_erasure() to customer_worker;

-- What was done for an erasure, signed, each chained to the store's previous one by its hash. Hash and signature
-- are those of the canonical JSON (RFC 8785) of the document, the sequence, the previous hash and the key.
create table erasure_receipts (
  store_id uuid not null,
  sequence integer not null check (sequence > 0),
  request_id uuid not null,
  document jsonb not null,
  previous_hash bytea,
  hash bytea not null,
  signature bytea not null,
  -- The thumbprint of the public key (RFC 7638), and the key itself: Ed25519, 32 bytes.
  key_id text not null,
  public_key bytea not null,
  primary key (store_id, sequence),
  foreign key (store_id, request_id) references gdpr_requests (store_id, request_id)
);

create unique index erasure_receipts_request on erasure_receipts (store_id, request_id);

do $$
declare
  name text;
begin
  foreach name in array array[
    'gdpr_requests', 'gdpr_participants', 'gdpr_export_parts', 'gdpr_exports', 'erased_subjects', 'erasure_receipts'
  ] loop
    execute format('alter table %I enable row level security', name);
    execute format(
      'create policy one_store on %I to customer_api
         using (store_id = (select current_store())) with check (store_id = (select current_store()))', name);
  end loop;
end
$$;

grant select, insert, update on gdpr_requests, gdpr_participants to customer_api;
grant select, insert, update, delete on gdpr_export_parts, gdpr_exports to customer_api;
grant select, insert, update on erased_subjects to customer_api;
grant select, insert on erasure_receipts to customer_api;

-- Expired exports go in every store; the worker sees when, and nothing else of them.
create policy all_stores on gdpr_export_parts to customer_worker using (true);
grant select (store_id, request_id, part, expires_at), delete on gdpr_export_parts to customer_worker;

-- What customer_reader may learn of requests, in the manner of 0006: nothing personal, so anonymised subjects are
-- answered as well. Each question is about one customer: the newest fifty requests of it, or the one that is named
-- if it is the customer's. `exported` says that documents can be fetched.
create function lookup_gdpr_requests(store_ids uuid[], customer_ids uuid[], request_ids uuid[])
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
  exported boolean,
  participants jsonb
)
language plpgsql stable security definer
set search_path = public, pg_temp set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
begin
  return query
  select asked.position::integer, r.request_id, r.type, r.status, r.outcome, r.created_at, r.completed_at, r.due_at,
    r.version,
    exists (
      select from gdpr_export_parts e
      where e.store_id = r.store_id and e.request_id = r.request_id
        and e.complete and e.sha256 is not null and e.expires_at > now()
    ),
    p.participants
  from unnest(store_ids, customer_ids, request_ids) with ordinality
    as asked (store_id, customer_id, request_id, position)
  join lateral (
    select * from gdpr_requests g
    where g.store_id = asked.store_id and g.customer_id = asked.customer_id
      and (asked.request_id is null or g.request_id = asked.request_id)
    order by g.created_at desc, g.request_id desc limit 50
  ) r on true
  left join lateral (
    select jsonb_agg(jsonb_build_object('service', q.service, 'state', q.state) order by q.service) as participants
    from gdpr_participants q where q.store_id = r.store_id and q.request_id = r.request_id
  ) p on true
  order by asked.position, r.created_at desc, r.request_id desc;
end
$$;

-- Where requests stand, each with one service that may take part in it: participant is null where no such service
-- has been asked. An unknown request has no row.
create function lookup_gdpr_participants(store_ids uuid[], request_ids uuid[], services text[])
returns table ("position" integer, type text, status text, outcome text, participant text)
language plpgsql stable security definer
set search_path = public, pg_temp set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
begin
  return query
  select asked.position::integer, r.type, r.status, r.outcome, p.state
  from unnest(store_ids, request_ids, services) with ordinality as asked (store_id, request_id, service, position)
  join gdpr_requests r on r.store_id = asked.store_id and r.request_id = asked.request_id
  left join gdpr_participants p
    on p.store_id = r.store_id and p.request_id = r.request_id and p.service = asked.service;
end
$$;

revoke all on function
  lookup_gdpr_requests(uuid[], uuid[], uuid[]), lookup_gdpr_participants(uuid[], uuid[], text[]) from public;
grant execute on function
  lookup_gdpr_requests(uuid[], uuid[], uuid[]), lookup_gdpr_participants(uuid[], uuid[], text[]) to customer_reader;

-- An erasure asks for the vacuum of what it has emptied. Before PostgreSQL 17 only the owner may ask.
do $$
begin
  if current_setting('server_version_num')::int >= 170000 then
    execute 'grant maintain on customers, customer_addresses to customer_worker';
  end if;
end
$$;
