-- Distributes the tables with a store by that store, so that all rows of a store are on one node. Run it as an administrator
-- on the coordinator, in the service's database, once before the first migration and again after each one. It distributes
-- the tables that are not distributed yet:
--
--     psql -v ON_ERROR_STOP=1 -f db/roles.sql -f deploy/citus.sql "$ADMIN_URL"
--     deno task migrate
--     psql -v ON_ERROR_STOP=1 -f deploy/citus.sql "$ADMIN_URL"
--
-- The database has the extension and its workers. Tables without a store are about the database as a whole; they stay on the
-- coordinator.

-- Citus connects to the workers as the current role, which is never the login. Roles without a password can log in only as
-- pg_hba.conf of the workers permits: by a client certificate, or with a password from pg_dist_authinfo.
alter role customer_owner login;
alter role customer_api login;
alter role customer_reader login;
alter role customer_worker login;

-- Passes the store that a transaction has entered on to the workers. The service reads it at its start.
do $$
begin
  execute format('alter database %I set citus.propagate_set_commands = ''local''', current_database());
end
$$;
set citus.propagate_set_commands = 'local';

-- Not `set local role`, which Citus would pass on.
set role customer_owner;

do $$
declare
  name regclass;
begin
  loop
    -- First of all the customers, with which the others are placed; each table after those that it references.
    select c.oid into name
    from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'store_id'
    where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace
      and not exists (select from pg_dist_partition d where d.logicalrelid = c.oid)
      and not exists (
        select from pg_constraint f
        where f.contype = 'f' and f.conrelid = c.oid and f.confrelid <> c.oid
          and not exists (select from pg_dist_partition d where d.logicalrelid = f.confrelid))
    order by c.relname <> 'customers', c.relname limit 1;
    exit when not found;
    perform create_distributed_table(name, 'store_id',
      colocate_with => case name::text when 'customers' then 'none' else 'customers' end);
  end loop;
end
$$;

-- Citus plans each call of a function: it needs the store to find the node.
do $$
declare
  name regprocedure;
begin
  for name in
    select p.oid from pg_proc p
    where p.pronamespace = 'public'::regnamespace and 'plan_cache_mode=force_generic_plan' = any (p.proconfig)
  loop
    call keep_plans(name);
  end loop;
end
$$;

reset role;
