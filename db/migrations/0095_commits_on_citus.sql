-- Commands on Citus: functions that read and store actors.

-- As in 0046. An actor as it is shown is read without a call of whole_actor, because Citus sends the statement to the node of
-- the store, and statements of functions do not run there.
create or replace function read_actors(store uuid, questions jsonb, needs_more boolean)
returns table ("position" integer, read_at timestamptz, facts jsonb)
language plpgsql security invoker
as $$
#variable_conflict use_column
begin
  perform enter_store(store);
  if not needs_more then
    return query
    select q.n, clock_timestamp(), jsonb_build_object('row', case q.kind
      when 'customer' then (
        select to_jsonb(c) || jsonb_build_object(
          'addresses', (select count(*) from customer_addresses a
            where a.store_id = store and a.customer_id = q.id),
          'groups', (select count(*) from customer_group_memberships m
            where m.store_id = store and m.customer_id = q.id))
        from customers c where c.store_id = store and c.customer_id = q.id)
      when 'shopper_group' then (
        select to_jsonb(g) from shopper_groups g where g.store_id = store and g.group_id = q.id)
      end)
    from jsonb_to_recordset(questions) as q (n integer, kind text, id uuid);
    return;
  end if;
  return query
  select q.n, clock_timestamp(), jsonb_build_object(
    -- Not by actor_row: a call of it takes ten times as long as the subquery.
    'row', case q.kind
      when 'customer' then (
        select to_jsonb(c) || jsonb_build_object(
          'addresses', (select count(*) from customer_addresses a where a.store_id = store and a.customer_id = q.id),
          'groups', (
            select count(*) from customer_group_memberships m where m.store_id = store and m.customer_id = q.id))
        from customers c where c.store_id = store and c.customer_id = q.id)
      when 'shopper_group' then (
        select to_jsonb(g) from shopper_groups g where g.store_id = store and g.group_id = q.id)
      end,
    'whole', case when q.whole then case q.kind
      when 'customer' then (
        select to_jsonb(c) || jsonb_build_object(
          'addresses', coalesce((
            select jsonb_agg(jsonb_build_object(
              'addressId', a.address_id, 'line1', a.line1, 'line2', a.line2, 'city', a.city, 'state', a.state,
              'country', a.country, 'postalCode', a.postal_code, 'isDefaultShipping', a.is_default_shipping,
              'isDefaultBilling', a.is_default_billing
            ) order by a.created_at, a.address_id)
            from customer_addresses a
            where a.store_id = store and a.customer_id = q.id and c.anonymized_at is null), '[]'),
          'groups', coalesce((
            select jsonb_agg(jsonb_build_object(
              'groupId', g.group_id, 'name', g.name, 'priceListId', g.price_list_id, 'priority', g.priority,
              'assignedAt', (extract(epoch from m.assigned_at) * 1000)::bigint
            ) order by g.priority desc, m.assigned_at, g.group_id)
            from customer_group_memberships m
            join shopper_groups g on g.store_id = store and g.group_id = m.group_id and g.deleted_at is null
            where m.store_id = store and m.customer_id = q.id and c.anonymized_at is null), '[]'))
        from customers c where c.store_id = store and c.customer_id = q.id)
      when 'shopper_group' then (
        select to_jsonb(g) from shopper_groups g where g.store_id = store and g.group_id = q.id)
      end end,
    'address', case when q.address_id is not null then (
      select to_jsonb(a) from customer_addresses a
      where a.store_id = store and a.address_id = q.address_id and a.customer_id = q.id) end,
    'is_open_group', case when q.group_id is not null then exists (
      select from shopper_groups g
      where g.store_id = store and g.group_id = q.group_id and g.deleted_at is null) end,
    'is_member', case when q.group_id is not null then exists (
      select from customer_group_memberships m
      where m.store_id = store and m.customer_id = q.id and m.group_id = q.group_id) end,
    'group_ids', case when q.all_groups then (
      select jsonb_agg(m.group_id order by m.assigned_at, m.group_id) from customer_group_memberships m
      where m.store_id = store and m.customer_id = q.id) end,
    'id_erased_at', case when q.hashes is not null then (
      select s.erased_at from erased_subjects s where s.store_id = store and s.customer_id = q.id) end,
    'email_erased_at', case when q.hashes is not null then (
      select max(s.erased_at) from email_hashes h
      join erased_subjects s on s.store_id = store and s.customer_id = h.customer_id
      where h.store_id = store and h.hash = any (q.hashes)) end,
    'stored', case when q.key is not null then (
      select jsonb_build_object('request_hash', encode(k.request_hash, 'hex'), 'principal_type', k.principal_type,
        'answer', k.answer)
      from idempotency_keys k
      where k.store_id = store and k.principal_id = q.principal_id and k.key = q.key
        and k.expires_at > coalesce(q.now, now())) end
  )
  from jsonb_to_recordset(questions) as q (
    n integer, kind text, id uuid, whole boolean, address_id uuid, group_id uuid, all_groups boolean,
    hashes bytea[], principal_id uuid, key text, now timestamptz);
end
$$;

-- As in 0046, in PL/pgSQL: Citus does not plan an inlined function with parameters.
create or replace function find_remembered(store uuid, "rows" jsonb) returns setof integer
language plpgsql stable security invoker
as $$
begin
  return query
  select r.n from jsonb_to_recordset("rows") as r (n integer, id uuid, hashes bytea[])
  where exists (select from erased_subjects s where s.store_id = store and s.customer_id = r.id)
    or exists (
      select from email_hashes h
      join erased_subjects s on s.store_id = store and s.customer_id = h.customer_id
      where h.store_id = store and h.hash = any (r.hashes));
end
$$;

-- The rest of store_commits stays as the migrations before this one define it. It enters its store like any transaction, and
-- each insertion returns a row: without one Citus would copy the rows, which row-level security does not permit.
do $$
declare
  name text;
  definition text := pg_get_functiondef('store_commits(uuid, jsonb)'::regprocedure);
  previous text;
begin
  definition := replace(definition, $a$perform set_config('app.store_id', store::text, true);$a$, 'perform enter_store(store);');
  definition := replace(definition, E'  refused integer[];\n', E'  refused integer[];\n  written integer;\n');
  foreach name in array array[
    'customer_addresses', 'customer_group_memberships', 'actor_events', 'timers', 'effects', 'outbox'
  ] loop
    previous := definition;
    definition := regexp_replace(definition, format('\n    (insert into %s \([^;]*);', name),
      E'\n    with rows_written as (\n    \\1\n      returning 1\n    )\n    select count(*) into written from rows_written;');
    if definition = previous then raise exception 'store_commits does not insert into % in the expected form', name; end if;
  end loop;
  execute definition;
end
$$;

call keep_plans('read_actors(uuid, jsonb, boolean)', 'store_commits(uuid, jsonb)');
