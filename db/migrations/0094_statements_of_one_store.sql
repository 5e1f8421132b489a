-- Statements of commands and lookups name one store, so that Citus runs each of them on one node.

-- Whether the tables are distributed with Citus. deploy/citus.sql makes the setting.
create function is_distributed() returns boolean
  language sql stable
  return coalesce(current_setting('citus.propagate_set_commands', true) = 'local', false);

-- Has functions keep one plan from call to call: planning again takes several times as long as a lookup. Citus needs the
-- values to find the node, so a distributed database plans each call.
create procedure keep_plans(variadic functions regprocedure[])
language plpgsql security invoker
as $$
declare
  name regprocedure;
begin
  foreach name in array functions loop
    execute format('alter function %s %s', name,
      case when is_distributed() then 'reset plan_cache_mode' else 'set plan_cache_mode = force_generic_plan' end);
  end loop;
end
$$;

revoke all on procedure keep_plans(regprocedure[]) from public;

-- The lookups. A call has questions about any number of stores, or about one where the tables are distributed: then each
-- table is restricted to that store.

create or replace function lookup_customer_groups(store_ids uuid[], customer_ids uuid[])
returns table (
  "position" integer,
  anonymized boolean,
  status text,
  group_id uuid,
  name text,
  price_list_id uuid,
  priority integer,
  assigned_at timestamptz
)
language plpgsql stable security definer
set search_path = public, pg_temp
as $$
#variable_conflict use_column
declare
  one uuid := case when is_distributed() then store_ids[1] end;
begin
  return query
  select keys.position::integer, c.anonymized_at is not null, c.status,
    g.group_id, g.name, g.price_list_id, g.priority, g.assigned_at
  from unnest(store_ids, customer_ids) with ordinality as keys (store_id, customer_id, position)
  join customers c on c.store_id = keys.store_id and c.customer_id = keys.customer_id
    and (one is null or c.store_id = one)
  left join lateral (
    select s.group_id, s.name, s.price_list_id, s.priority, m.assigned_at
    from customer_group_memberships m
    join shopper_groups s on s.store_id = m.store_id and s.group_id = m.group_id and s.deleted_at is null
      and (one is null or s.store_id = one)
    where m.store_id = keys.store_id and m.customer_id = keys.customer_id and c.anonymized_at is null
      and (one is null or m.store_id = one)
  ) g on true
  order by keys.position, g.priority desc, g.assigned_at, g.group_id;
end
$$;

create or replace function lookup_customers(store_ids uuid[], customer_ids uuid[])
returns table (
  "position" integer,
  store_id uuid,
  customer_id uuid,
  email text,
  first_name text,
  last_name text,
  phone text,
  locale text,
  status text,
  version integer,
  membership_version integer,
  created_at timestamptz,
  updated_at timestamptz,
  anonymized_at timestamptz,
  addresses jsonb,
  groups jsonb
)
language plpgsql stable security definer
set search_path = public, pg_temp
as $$
#variable_conflict use_column
declare
  one uuid := case when is_distributed() then store_ids[1] end;
begin
  return query
  select keys.position::integer, c.store_id, c.customer_id, c.email, c.first_name, c.last_name, c.phone,
    c.locale, c.status, c.version, c.membership_version, c.created_at, c.updated_at, c.anonymized_at, a.addresses, g.groups
  from unnest(store_ids, customer_ids) with ordinality as keys (store_id, customer_id, position)
  join customers c on c.store_id = keys.store_id and c.customer_id = keys.customer_id
    and (one is null or c.store_id = one)
  left join lateral (
    select jsonb_agg(jsonb_build_object(
      'addressId', d.address_id, 'line1', d.line1, 'line2', d.line2, 'city', d.city, 'state', d.state,
      'country', d.country, 'postalCode', d.postal_code, 'isDefaultShipping', d.is_default_shipping,
      'isDefaultBilling', d.is_default_billing
    ) order by d.created_at, d.address_id) as addresses
    from customer_addresses d
    where d.store_id = keys.store_id and d.customer_id = keys.customer_id and c.anonymized_at is null
      and (one is null or d.store_id = one)
  ) a on true
  left join lateral (
    select jsonb_agg(jsonb_build_object(
      'groupId', s.group_id, 'name', s.name, 'priceListId', s.price_list_id, 'priority', s.priority,
      'assignedAt', (extract(epoch from m.assigned_at) * 1000)::bigint
    ) order by s.priority desc, m.assigned_at, s.group_id) as groups
    from customer_group_memberships m
    join shopper_groups s on s.store_id = m.store_id and s.group_id = m.group_id and s.deleted_at is null
      and (one is null or s.store_id = one)
    where m.store_id = keys.store_id and m.customer_id = keys.customer_id and c.anonymized_at is null
      and (one is null or m.store_id = one)
  ) g on true
  order by keys.position;
end
$$;

create or replace function lookup_customer_ids(store_ids uuid[], emails text[])
returns table ("position" integer, customer_id uuid)
language plpgsql stable security definer
set search_path = public, pg_temp set enable_seqscan = off
as $$
#variable_conflict use_column
declare
  one uuid := case when is_distributed() then store_ids[1] end;
begin
  return query
  select keys.position::integer, found.customer_id
  from unnest(store_ids, emails) with ordinality as keys (store_id, email, position)
  cross join lateral (
    select c.customer_id from customers c
    where c.store_id = keys.store_id and lower(c.email) = lower(keys.email) and c.anonymized_at is null
      and (one is null or c.store_id = one)
    limit 1
  ) found;
end
$$;

create or replace function lookup_gdpr_requests(
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
set search_path = public, pg_temp
as $$
#variable_conflict use_column
declare
  one uuid := case when is_distributed() then store_ids[1] end;
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
        and (one is null or e.store_id = one)
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
      and (one is null or g.store_id = one)
      and (keys.request_id is null or g.request_id = keys.request_id)
      and (keys.after_id is null or (g.created_at, g.request_id) < (
        select b.created_at, b.request_id from gdpr_requests b
        where b.store_id = keys.store_id and b.customer_id = keys.customer_id and b.request_id = keys.after_id
          and (one is null or b.store_id = one)))
    order by g.created_at desc, g.request_id desc limit keys.page_size
  ) r on true
  left join lateral (
    select jsonb_agg(jsonb_build_object('service', q.service, 'state', q.state,
      'waiverReason', case when q.state = 'WAIVED' then q.waiver_reason end) order by q.service) as participants
    from gdpr_participants q where q.store_id = r.store_id and q.request_id = r.request_id
      and (one is null or q.store_id = one)
  ) p on true
  order by keys.position, r.created_at desc, r.request_id desc;
end
$$;

create or replace function lookup_gdpr_notices(store_ids uuid[], customer_ids uuid[], request_ids uuid[])
returns table ("position" integer, read_at timestamptz, refusal_ground text, notices jsonb)
language plpgsql stable security definer
set search_path = public, pg_temp
as $$
#variable_conflict use_column
declare
  one uuid := case when is_distributed() then store_ids[1] end;
begin
  return query
  select keys.position::integer, now(), r.refusal_ground, coalesce(n.notices, '[]')
  from unnest(store_ids, customer_ids, request_ids) with ordinality as keys (store_id, customer_id, request_id, position)
  join gdpr_requests r
    on r.store_id = keys.store_id and r.request_id = keys.request_id and r.customer_id = keys.customer_id
    and (one is null or r.store_id = one)
  left join lateral (
    select jsonb_agg(jsonb_build_object('kind', q.kind, 'delivery', q.delivery, 'createdAt', q.created_at,
      'dueAt', q.due_at, 'settledAt', q.settled_at) order by q.created_at, q.notice_id) as notices
    from gdpr_notices q where q.store_id = r.store_id and q.request_id = r.request_id
      and (one is null or q.store_id = one)
  ) n on true;
end
$$;

create or replace function lookup_gdpr_participants(store_ids uuid[], request_ids uuid[], services text[])
returns table ("position" integer, type text, status text, outcome text, participant text)
language plpgsql stable security definer
set search_path = public, pg_temp
as $$
#variable_conflict use_column
declare
  one uuid := case when is_distributed() then store_ids[1] end;
begin
  return query
  select keys.position::integer, r.type, r.status, r.outcome, p.state
  from unnest(store_ids, request_ids, services) with ordinality as keys (store_id, request_id, service, position)
  join gdpr_requests r on r.store_id = keys.store_id and r.request_id = keys.request_id
    and (one is null or r.store_id = one)
  left join gdpr_participants p
    on p.store_id = r.store_id and p.request_id = r.request_id and p.service = keys.service
    and (one is null or p.store_id = one);
end
$$;

create or replace function lookup_customer_versions(store_ids uuid[], customer_ids uuid[])
returns table ("position" integer, version integer, membership_version integer)
language plpgsql stable security definer
set search_path = public, pg_temp
as $$
#variable_conflict use_column
declare
  one uuid := case when is_distributed() then store_ids[1] end;
begin
  return query
  select keys.position::integer, c.version, c.membership_version
  from unnest(store_ids, customer_ids) with ordinality as keys (store_id, customer_id, position)
  join customers c on c.store_id = keys.store_id and c.customer_id = keys.customer_id
    and (one is null or c.store_id = one);
end
$$;

call keep_plans('lookup_customer_groups(uuid[], uuid[])', 'lookup_customers(uuid[], uuid[])',
  'lookup_customer_ids(uuid[], text[])', 'lookup_gdpr_requests(uuid[], uuid[], uuid[], uuid[], integer[])',
  'lookup_gdpr_notices(uuid[], uuid[], uuid[])', 'lookup_gdpr_participants(uuid[], uuid[], text[])',
  'lookup_customer_versions(uuid[], uuid[])');
