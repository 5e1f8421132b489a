-- Version of a customer's memberships. The customer's own version, which clients compare, counts the changes of profile,
-- status and addresses only, so that assigning a group to many customers makes no open form out of date. An event's number
-- in the journal is version + membership_version - 1.
alter table customers
  add column membership_version integer not null default 1 check (membership_version > 0);

drop function lookup_customers(uuid[], uuid[]);

-- Whole customers from one snapshot: the row, the address book and the groups in resolution order.
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
  membership_version integer,
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
  select keys.position::integer, c.store_id, c.customer_id, c.email, c.first_name, c.last_name, c.phone,
    c.locale, c.status, c.version, c.membership_version, c.created_at, c.updated_at, c.anonymized_at, a.addresses, g.groups
  from unnest(store_ids, customer_ids) with ordinality as keys (store_id, customer_id, position)
  join customers c on c.store_id = keys.store_id and c.customer_id = keys.customer_id
  left join lateral (
    select jsonb_agg(jsonb_build_object(
      'addressId', d.address_id, 'line1', d.line1, 'line2', d.line2, 'city', d.city, 'state', d.state,
      'country', d.country, 'postalCode', d.postal_code, 'isDefaultShipping', d.is_default_shipping,
      'isDefaultBilling', d.is_default_billing
    ) order by d.created_at, d.address_id) as addresses
    from customer_addresses d
    where d.store_id = keys.store_id and d.customer_id = keys.customer_id and c.anonymized_at is null
  ) a on true
  left join lateral (
    select jsonb_agg(jsonb_build_object(
      'groupId', s.group_id, 'name', s.name, 'priceListId', s.price_list_id, 'priority', s.priority,
      'assignedAt', (extract(epoch from m.assigned_at) * 1000)::bigint
    ) order by s.priority desc, m.assigned_at, s.group_id) as groups
    from customer_group_memberships m
    join shopper_groups s on s.store_id = m.store_id and s.group_id = m.group_id and s.deleted_at is null
    where m.store_id = keys.store_id and m.customer_id = keys.customer_id and c.anonymized_at is null
  ) g on true
  order by keys.position;
end
$$;

revoke all on function lookup_customers(uuid[], uuid[]) from public;
grant execute on function lookup_customers(uuid[], uuid[]) to customer_reader;
