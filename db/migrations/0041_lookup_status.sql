-- The groups of customers in resolution order, with the customer's status. An unknown customer has no row; a customer
-- without groups, and an anonymized one, has one row with group_id null.
drop function lookup_customer_groups(uuid[], uuid[]);

create function lookup_customer_groups(store_ids uuid[], customer_ids uuid[])
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
set search_path = public, pg_temp set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
begin
  return query
  select keys.position::integer, c.anonymized_at is not null, c.status,
    g.group_id, g.name, g.price_list_id, g.priority, g.assigned_at
  from unnest(store_ids, customer_ids) with ordinality as keys (store_id, customer_id, position)
  join customers c on c.store_id = keys.store_id and c.customer_id = keys.customer_id
  left join lateral (
    select s.group_id, s.name, s.price_list_id, s.priority, m.assigned_at
    from customer_group_memberships m
    join shopper_groups s on s.store_id = m.store_id and s.group_id = m.group_id and s.deleted_at is null
    where m.store_id = keys.store_id and m.customer_id = keys.customer_id and c.anonymized_at is null
  ) g on true
  order by keys.position, g.priority desc, g.assigned_at, g.group_id;
end
$$;

revoke all on function lookup_customer_groups(uuid[], uuid[]) from public;
grant execute on function lookup_customer_groups(uuid[], uuid[]) to customer_reader;
