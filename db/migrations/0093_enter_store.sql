-- Limits the rest of the transaction to one store by row-level security. Executes `set local`, because Citus passes that on
-- to its workers, but not set_config.
create function enter_store(store uuid) returns void
language plpgsql security invoker
as $$
begin
  execute format('set local app.store_id = %L', store);
end
$$;

revoke all on function enter_store(uuid) from public;
grant execute on function enter_store(uuid) to customer_api;

-- Policies without subqueries, which Citus refuses in distributed tables.
do $$
declare
  policy record;
begin
  for policy in select tablename from pg_policies where schemaname = 'public' and policyname = 'one_store' loop
    execute format('alter policy one_store on %I using (store_id = current_store()) with check (store_id = current_store())',
      policy.tablename);
  end loop;
end
$$;
