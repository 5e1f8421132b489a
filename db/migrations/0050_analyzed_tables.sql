-- Analyzes those tables of commands that are ten times as large as when they were analyzed, or have never been analyzed.
-- Autovacuum does the same, but up to a minute later. Until then, every session keeps plans for an empty table, which read
-- most of the table for each row: an import into an empty database would take longer for each row than for the row before.
-- A call during another one returns at once.
create function analyze_grown_tables() returns void
language plpgsql security definer
set search_path = public, pg_temp
as $$
declare
  name text;
begin
  if not pg_try_advisory_xact_lock(hashtext('analyze_grown_tables')) then return; end if;
  for name in
    select c.relname from pg_class c
    where c.oid = any (array['customers', 'idempotency_keys', 'actor_events', 'outbox']::regclass[])
      and pg_relation_size(c.oid) >= case when c.reltuples < 0 then 1
        else 10 * greatest(c.relpages, 1) * current_setting('block_size')::bigint end
  loop
    execute format('analyze %I', name);
  end loop;
end
$$;

revoke all on function analyze_grown_tables() from public;
grant execute on function analyze_grown_tables() to customer_api;
