-- The roles of customer-service. Roles belong to the whole database server, so this file is separate from the
-- migrations; `deno task migrate` runs it where a role is missing, which takes the right to create roles.
-- None may log in: the service's own login is a member of the last three and sets one role per pool, and it
-- is a member of customer_owner as well where it migrates by itself.
do $$
declare
  missing text;
begin
  foreach missing in array array['customer_owner', 'customer_api', 'customer_reader', 'customer_worker'] loop
    begin
      execute format('create role %I nologin nosuperuser nocreatedb nocreaterole nobypassrls', missing);
    exception when duplicate_object or unique_violation then
      null; -- another migration of this server was first
    end;
  end loop;
end
$$;

comment on role customer_owner is 'customer-service: owns the tables, runs the migrations';
comment on role customer_api is 'customer-service: the only writer, confined to one store a transaction';
comment on role customer_reader is 'customer-service: executes the lookup functions, has no right on any table';
comment on role customer_worker is 'customer-service: claims timers, effects and outbox rows of all stores';
