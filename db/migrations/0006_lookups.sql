-- The lookups: what customer_reader may execute, and all it may. Each takes the stores and the customers as
-- two arrays of one length and answers by position (from 1), so that one statement serves every question of
-- a moment. PL/pgSQL keeps a plan from call to call, and must be told to: to plan anew takes five times as long
-- as to answer.

-- The groups of customers in resolution order. An unknown customer has no row; a customer without groups, or
-- an anonymised one, has one row with group_id null.
create function lookup_customer_groups(store_ids uuid[], customer_ids uuid[])
returns table (
  "position" integer,
  anonymized boolean,
  group_id uuid,
  name text,
  price_list_id uuid,
  priority integer,
  assigned_at timestamptz
)
language plpgsql stable security definer
set search_path = public, pg_temp set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
begin
  return query
  select asked.position::integer, c.anonymized_at is not null,
    g.group_id, g.name, g.price_list_id, g.priority, g.assigned_at
  from unnest(store_ids, customer_ids) with ordinality as asked (store_id, customer_id, position)
  join customers c on c.store_id = asked.store_id and c.customer_id = asked.customer_id
  left join lateral (
    select s.group_id, s.name, s.price_list_id, s.priority, m.assigned_at
    from customer_group_memberships m
    join shopper_groups s on s.store_id = m.store_id and s.group_id = m.group_id and s.deleted_at is null
    where m.store_id = asked.store_id and m.customer_id = asked.customer_id and c.anonymized_at is null
  ) g on true
  order by asked.position, g.priority desc, g.assigned_at, g.group_id;
end
$$;

-- Whole customers, as one moment shows them: the row, the address book and the groups in resolution order.
create function lookup_customers(store_ids uuid[], customer_ids uuid[])
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
  created_at timestamptz,
  updated_at timestamptz,
  anonymized_at timestamptz,
  addresses jsonb,
  groups jsonb
)
language plpgsql stable security definer
set search_path = public, pg_temp set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
begin
  return query
  select asked.position::integer, c.store_id, c.customer_id, c.email, c.first_name, c.last_name, c.phone,
    c.locale, c.status, c.version, c.created_at, c.updated_at, c.anonymized_at, a.addresses, g.groups
  from unnest(store_ids, customer_ids) with ordinality as asked (store_id, customer_id, position)
  join customers c on c.store_id = asked.store_id and c.customer_id = asked.customer_id
  left join lateral (
    select jsonb_agg(jsonb_build_object(
      'addressId', d.address_id, 'line1', d.line1, 'line2', d.line2, 'city', d.city, 'state', d.state,
      'country', d.country, 'postalCode', d.postal_code, 'isDefaultShipping', d.is_default_shipping,
      'isDefaultBilling', d.is_default_billing
    ) order by d.created_at, d.address_id) as addresses
    from customer_addresses d
    where d.store_id = asked.store_id and d.customer_id = asked.customer_id and c.anonymized_at is null
  ) a on true
  left join lateral (
    select jsonb_agg(jsonb_build_object(
      'groupId', s.group_id, 'name', s.name, 'priceListId', s.price_list_id, 'priority', s.priority,
      'assignedAt', (extract(epoch from m.assigned_at) * 1000)::bigint
    ) order by s.priority desc, m.assigned_at, s.group_id) as groups
    from customer_group_memberships m
    join shopper_groups s on s.store_id = m.store_id and s.group_id = m.group_id and s.deleted_at is null
    where m.store_id = asked.store_id and m.customer_id = asked.customer_id and c.anonymized_at is null
  ) g on true
  order by asked.position;
end
$$;

revoke all on function lookup_customer_groups(uuid[], uuid[]), lookup_customers(uuid[], uuid[]) from public;
grant execute on function lookup_customer_groups(uuid[], uuid[]), lookup_customers(uuid[], uuid[])
  to customer_reader;
