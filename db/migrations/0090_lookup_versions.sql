-- The versions of customers, for a caller that has seen a version and asks a replica. It returns no personal value. An
-- unknown customer has no row.
create function lookup_customer_versions(store_ids uuid[], customer_ids uuid[])
returns table ("position" integer, version integer, membership_version integer)
language plpgsql stable security definer
set search_path = public, pg_temp set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
begin
  return query
  select keys.position::integer, c.version, c.membership_version
  from unnest(store_ids, customer_ids) with ordinality as keys (store_id, customer_id, position)
  join customers c on c.store_id = keys.store_id and c.customer_id = keys.customer_id;
end
$$;

revoke all on function lookup_customer_versions(uuid[], uuid[]) from public;
grant execute on function lookup_customer_versions(uuid[], uuid[]) to customer_reader;
