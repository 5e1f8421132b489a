-- A counted repetition such as {64} in a regular expression costs PostgreSQL about a microsecond for each repetition and
-- row, because it builds the states again for each text. A length and uncounted repetitions accept the same texts.
alter table customers drop constraint customers_phone_check, add constraint customers_phone_check
  check (length(phone) between 3 and 16 and phone ~ '^\+[1-9][0-9]+$');
alter table idempotency_keys drop constraint idempotency_keys_key_check, add constraint idempotency_keys_key_check
  check (length(key) = 64 and key ~ '^[0-9a-f]+$');
alter table effects drop constraint effects_traceparent_check, add constraint effects_traceparent_check
  check (length(traceparent) = 55 and substr(traceparent, 36, 1) = '-' and substr(traceparent, 53, 1) = '-'
    and traceparent ~ '^00-[0-9a-f]+-[0-9a-f]+-[0-9a-f]+$');
alter table timers drop constraint timers_traceparent_check, add constraint timers_traceparent_check
  check (length(traceparent) = 55 and substr(traceparent, 36, 1) = '-' and substr(traceparent, 53, 1) = '-'
    and traceparent ~ '^00-[0-9a-f]+-[0-9a-f]+-[0-9a-f]+$');

-- Emails have the collation "C", so customers_email finds prefixes as well.
drop index customers_email_prefix;

-- As before, except that a new customer's columns are fields of its record in `commits`: reading them from a document in
-- the record takes several times as long.
--
-- Stores decided commands. A commit is the rows of one command; each section of `commits` has the rows of one kind of all
-- commits, with the number n of the commit (from 1 to `count`), and an absent section runs no statement. A commit that
-- cannot be stored writes nothing and does not keep the others from being stored. Its outcome:
--   stale     the actor has changed since it was read, or a group has been deleted, or a person has been erased: read again
--   locked    another transaction holds the actor, or it does not exist
--   repeated  the idempotency key belongs to an answered request, which `detail` has
--   violated  `detail` names the unique index that refuses a new row
--   stored    `detail` has what `returned` asks for: the actor and its row as the commit leaves them, and the time
-- An update that violates a unique index raises the error, for all commits of the call. Rows are locked in an order that is
-- the same in every call: actors, groups, keys, new rows.
create or replace function store_commits(store uuid, commits jsonb)
returns table ("position" integer, outcome text, detail jsonb)
language plpgsql security invoker
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
declare
  accepted integer[] := array(select generate_series(1, (commits ->> 'count')::integer));
  claimed integer[] := '{}';
  refused integer[];
begin
  perform set_config('app.store_id', store::text, true);

  if commits ? 'customers' then
    for position, outcome in
      with locked as materialized (
        select c.customer_id, c.version, c.membership_version from customers c
        where c.store_id = store and c.customer_id = any (array(
          select r.id from jsonb_to_recordset(commits -> 'customers') as r (id uuid)))
        order by c.customer_id for no key update skip locked
      )
      select r.n, case when l.customer_id is null then 'locked' else 'stale' end
      from jsonb_to_recordset(commits -> 'customers')
        as r (n integer, id uuid, seen_version integer, seen_part_version integer)
      left join locked l on l.customer_id = r.id
      where l.customer_id is null or l.version <> r.seen_version or l.membership_version <> r.seen_part_version
    loop
      return next;
      accepted := array_remove(accepted, position);
    end loop;
  end if;

  if commits ? 'shopper_groups' then
    for position, outcome in
      with locked as materialized (
        select g.group_id, g.version from shopper_groups g
        where g.store_id = store and g.group_id = any (array(
          select r.id from jsonb_to_recordset(commits -> 'shopper_groups') as r (id uuid)))
        order by g.group_id for no key update skip locked
      )
      select r.n, case when l.group_id is null then 'locked' else 'stale' end
      from jsonb_to_recordset(commits -> 'shopper_groups') as r (n integer, id uuid, seen_version integer)
      left join locked l on l.group_id = r.id
      where l.group_id is null or l.version <> r.seen_version
    loop
      return next;
      accepted := array_remove(accepted, position);
    end loop;
  end if;

  -- A group that customers join stays open until the commit: its deletion waits, and then finds the members.
  if commits ? 'open_groups' then
    for position, outcome in
      with open as materialized (
        select g.group_id from shopper_groups g
        where g.store_id = store and g.deleted_at is null and g.group_id = any (array(
          select r.group_id from jsonb_to_recordset(commits -> 'open_groups') as r (group_id uuid)))
        order by g.group_id for share
      )
      select r.n, 'stale' from jsonb_to_recordset(commits -> 'open_groups') as r (n integer, group_id uuid)
      where r.n = any (accepted) and not exists (select from open o where o.group_id = r.group_id)
    loop
      return next;
      accepted := array_remove(accepted, position);
    end loop;
  end if;

  if commits ? 'unless_erased' then
    for position, outcome in
      select r.n, 'stale' from find_remembered(store, commits -> 'unless_erased') as r (n) where r.n = any (accepted)
    loop
      return next;
      accepted := array_remove(accepted, position);
    end loop;
  end if;

  if commits ? 'keys' then
    with attempts as materialized (
      select distinct on (r.principal_id, r.key) r.*
      from jsonb_to_recordset(commits -> 'keys') as r (
        n integer, principal_id uuid, principal_type text, key text, request_hash bytea, answer jsonb,
        created_at timestamptz, expires_at timestamptz)
      where r.n = any (accepted)
      order by r.principal_id, r.key, r.n
    ), inserted as (
      insert into idempotency_keys as k (store_id, principal_id, principal_type, key, request_hash, answer, created_at,
        expires_at)
      select store, a.principal_id, a.principal_type, a.key, a.request_hash, a.answer, a.created_at, a.expires_at
      from attempts a order by a.principal_id, a.key
      on conflict (store_id, principal_id, key) do update
        set request_hash = excluded.request_hash, answer = excluded.answer,
          principal_type = excluded.principal_type, created_at = excluded.created_at,
          expires_at = excluded.expires_at
        where k.expires_at <= excluded.created_at
      returning k.principal_id, k.key
    )
    select coalesce(array_agg(a.n), '{}') into claimed
    from attempts a join inserted i on i.principal_id = a.principal_id and i.key = a.key;
    -- A statement of its own, to see what was committed while the insertion waited.
    for position, outcome, detail in
      select r.n, case when k.key is null or c.n is not null then 'stale' else 'repeated' end,
        jsonb_build_object('request_hash', encode(k.request_hash, 'hex'), 'principal_type', k.principal_type,
          'answer', k.answer)
      from jsonb_to_recordset(commits -> 'keys') as r (n integer, principal_id uuid, key text)
      left join idempotency_keys k
        on k.store_id = store and k.principal_id = r.principal_id and k.key = r.key
      left join jsonb_to_recordset(commits -> 'keys') as c (n integer, principal_id uuid, key text)
        on c.n = any (claimed) and c.principal_id = r.principal_id and c.key = r.key
      where r.n = any (accepted) and r.n <> all (claimed)
    loop
      return next;
      accepted := array_remove(accepted, position);
    end loop;
  end if;

  if commits ? 'new_customers' then
    with inserted as (
      insert into customers (store_id, customer_id, email, first_name, last_name, phone, locale, status, version,
        membership_version, created_at, updated_at)
      select store, r.id, r.email, r.first_name, r.last_name, r.phone, r.locale, r.status, r.version,
        r.membership_version, r.created_at, r.updated_at
      from jsonb_to_recordset(commits -> 'new_customers') as r (
        n integer, id uuid, email text collate "C", first_name text, last_name text, phone text, locale text, status text,
        version integer, membership_version integer, created_at timestamptz, updated_at timestamptz)
      where r.n = any (accepted)
      order by lower(r.email), r.id
      on conflict do nothing
      returning customer_id
    )
    select array_agg(r.n) into refused from jsonb_to_recordset(commits -> 'new_customers') as r (n integer, id uuid)
    where r.n = any (accepted) and not exists (select from inserted i where i.customer_id = r.id);
    for position, outcome, detail in
      select r.n, 'violated', jsonb_build_object('constraint', case
        when exists (select from customers c where c.store_id = store and c.customer_id = r.id)
          then 'customers_pkey' else 'customers_email' end)
      from jsonb_to_recordset(commits -> 'new_customers') as r (n integer, id uuid)
      where r.n = any (refused)
    loop
      return next;
      accepted := array_remove(accepted, position);
    end loop;
  end if;

  if commits ? 'new_shopper_groups' then
    with inserted as (
      insert into shopper_groups (store_id, group_id, name, price_list_id, priority, version, created_at, updated_at)
      select store, r.id, v.name, v.price_list_id, v.priority, v.version, v.created_at, v.updated_at
      from jsonb_to_recordset(commits -> 'new_shopper_groups') as r (n integer, id uuid, "row" jsonb),
        jsonb_populate_record(null::shopper_groups, r.row) as v
      where r.n = any (accepted)
      order by v.name, r.id
      on conflict do nothing
      returning group_id
    )
    select array_agg(r.n) into refused
    from jsonb_to_recordset(commits -> 'new_shopper_groups') as r (n integer, id uuid)
    where r.n = any (accepted) and not exists (select from inserted i where i.group_id = r.id);
    for position, outcome, detail in
      select r.n, 'violated', jsonb_build_object('constraint', case
        when exists (select from shopper_groups g where g.store_id = store and g.group_id = r.id)
          then 'shopper_groups_pkey' else 'shopper_groups_name' end)
      from jsonb_to_recordset(commits -> 'new_shopper_groups') as r (n integer, id uuid)
      where r.n = any (refused)
    loop
      return next;
      accepted := array_remove(accepted, position);
    end loop;
  end if;

  if not claimed <@ accepted then
    delete from idempotency_keys k
    using jsonb_to_recordset(commits -> 'keys') as r (n integer, principal_id uuid, key text)
    where r.n = any (claimed) and r.n <> all (accepted)
      and k.store_id = store and k.principal_id = r.principal_id and k.key = r.key;
  end if;

  -- The insertion has waited for a concurrent erasure, which frees the email and remembers it.
  if commits ? 'unless_erased' and exists (
    select from find_remembered(store, commits -> 'unless_erased') as r (n) where r.n = any (accepted)
  ) then
    raise exception 'A customer was erased during its registration' using errcode = 'serialization_failure';
  end if;

  if commits ? 'customers' then
    update customers c set (email, first_name, last_name, phone, locale, status, version, membership_version,
      updated_at, anonymized_at) = (
        select v.email, v.first_name, v.last_name, v.phone, v.locale, v.status, v.version, v.membership_version,
          v.updated_at, v.anonymized_at
        from jsonb_populate_record(c, r.row) as v)
    from jsonb_to_recordset(commits -> 'customers') as r (n integer, id uuid, "row" jsonb)
    where r.n = any (accepted) and c.store_id = store and c.customer_id = r.id;
  end if;

  if commits ? 'shopper_groups' then
    update shopper_groups g set (name, price_list_id, priority, version, updated_at, deleted_at) = (
      select v.name, v.price_list_id, v.priority, v.version, v.updated_at, v.deleted_at
      from jsonb_populate_record(g, r.row) as v)
    from jsonb_to_recordset(commits -> 'shopper_groups') as r (n integer, id uuid, "row" jsonb)
    where r.n = any (accepted) and g.store_id = store and g.group_id = r.id;
  end if;

  if commits ? 'email_hashes' then
    insert into email_hashes (store_id, customer_id, hash, participant_hash, key_id)
    select store, r.customer_id, r.hash, r.participant_hash, r.key_id
    from jsonb_to_recordset(commits -> 'email_hashes')
      as r (n integer, customer_id uuid, hash bytea, participant_hash bytea, key_id text)
    where r.n = any (accepted)
    on conflict (store_id, customer_id, hash) do nothing;
  end if;

  -- A customer has one default address of each kind: it is cleared before another address gets it.
  if commits ? 'cleared_defaults' then
    update customer_addresses a
    set is_default_shipping = a.is_default_shipping and not r.shipping,
      is_default_billing = a.is_default_billing and not r.billing
    from jsonb_to_recordset(commits -> 'cleared_defaults')
      as r (n integer, customer_id uuid, shipping boolean, billing boolean)
    where r.n = any (accepted) and a.store_id = store and a.customer_id = r.customer_id
      and ((r.shipping and a.is_default_shipping) or (r.billing and a.is_default_billing));
  end if;

  if commits ? 'new_addresses' then
    insert into customer_addresses (store_id, address_id, customer_id, line1, line2, city, state, country, postal_code,
      is_default_shipping, is_default_billing, created_at, updated_at)
    select store, r.id, v.customer_id, v.line1, v.line2, v.city, v.state, v.country, v.postal_code,
      v.is_default_shipping, v.is_default_billing, v.created_at, v.updated_at
    from jsonb_to_recordset(commits -> 'new_addresses') as r (n integer, id uuid, "row" jsonb),
      jsonb_populate_record(null::customer_addresses, r.row) as v
    where r.n = any (accepted);
  end if;

  if commits ? 'addresses' then
    update customer_addresses a set (line1, line2, city, state, country, postal_code, is_default_shipping,
      is_default_billing, updated_at) = (
        select v.line1, v.line2, v.city, v.state, v.country, v.postal_code, v.is_default_shipping,
          v.is_default_billing, v.updated_at
        from jsonb_populate_record(a, r.row) as v)
    from jsonb_to_recordset(commits -> 'addresses') as r (n integer, id uuid, "row" jsonb)
    where r.n = any (accepted) and a.store_id = store and a.address_id = r.id;
  end if;

  if commits ? 'deleted_addresses' then
    delete from customer_addresses a
    using jsonb_to_recordset(commits -> 'deleted_addresses') as r (n integer, id uuid)
    where r.n = any (accepted) and a.store_id = store and a.address_id = r.id;
  end if;

  if commits ? 'new_memberships' then
    insert into customer_group_memberships (store_id, customer_id, group_id, assigned_at, assigned_by)
    select store, r.customer_id, r.group_id, r.assigned_at, r.assigned_by
    from jsonb_to_recordset(commits -> 'new_memberships')
      as r (n integer, customer_id uuid, group_id uuid, assigned_at timestamptz, assigned_by uuid)
    where r.n = any (accepted);
  end if;

  if commits ? 'ended_memberships' then
    delete from customer_group_memberships m
    using jsonb_to_recordset(commits -> 'ended_memberships') as r (n integer, customer_id uuid, group_id uuid)
    where r.n = any (accepted) and m.store_id = store and m.customer_id = r.customer_id and m.group_id = r.group_id;
  end if;

  if commits ? 'journal' then
    insert into actor_events (store_id, actor_kind, actor_id, sequence, event_type, state_before, state_after,
      principal_id, principal_type, principal_service, changed_fields, reason, reason_given, note, note_given,
      at, about, transitions)
    select store, r.actor_kind, r.actor_id, r.sequence, r.event_type, r.state_before, r.state_after, r.principal_id,
      r.principal_type, r.principal_service, r.changed_fields, r.reason, r.reason_given, r.note, r.note_given, r.at,
      r.about, r.transitions
    from jsonb_to_recordset(commits -> 'journal') as r (
      n integer, actor_kind text, actor_id uuid, sequence integer, event_type text, state_before text,
      state_after text, principal_id uuid, principal_type text, principal_service text, changed_fields text[],
      reason text, reason_given boolean, note text, note_given boolean, at timestamptz, about text, transitions text[])
    where r.n = any (accepted);
  end if;

  -- In the order of the machine's actions: a state that is entered again cancels its timer and sets it.
  if commits ? 'timers' then
    delete from timers t
    using jsonb_to_recordset(commits -> 'timers') as r (n integer, actor_kind text, actor_id uuid, name text)
    where r.n = any (accepted) and t.store_id = store and t.actor_kind = r.actor_kind and t.actor_id = r.actor_id
      and t.name = r.name;
    insert into timers (store_id, actor_kind, actor_id, name, event, traceparent, due_at, created_at)
    select store, r.actor_kind, r.actor_id, r.name, r.event, r.traceparent, r.due_at, r.created_at
    from jsonb_to_recordset(commits -> 'timers') as r (
      n integer, actor_kind text, actor_id uuid, name text, event jsonb, traceparent text, due_at timestamptz,
      created_at timestamptz)
    where r.n = any (accepted) and r.due_at is not null;
  end if;

  if commits ? 'effects' then
    insert into effects (store_id, effect_id, actor_kind, actor_id, type, params, trace_id, traceparent, due_at,
      created_at)
    select store, r.effect_id, r.actor_kind, r.actor_id, r.type, r.params, r.trace_id, r.traceparent, r.due_at,
      r.created_at
    from jsonb_to_recordset(commits -> 'effects') as r (
      n integer, effect_id uuid, actor_kind text, actor_id uuid, type text, params jsonb, trace_id text,
      traceparent text, due_at timestamptz, created_at timestamptz)
    where r.n = any (accepted);
  end if;

  -- Under the locks of the actors, so that the order of seq is that of an actor's events.
  if commits ? 'outbox' then
    insert into outbox (store_id, event_id, topic, key, payload, headers, created_at)
    select store, r.event_id, r.topic, r.key, r.payload, r.headers, r.created_at
    from rows from (jsonb_to_recordset(commits -> 'outbox') as (
      n integer, event_id uuid, topic text, key text, payload jsonb, headers jsonb, created_at timestamptz
    )) with ordinality as r
    where r.n = any (accepted)
    order by r.ordinality;
  end if;

  return query
  select g, 'stored', case when r.n is not null then jsonb_build_object(
    'whole', case when r.whole then whole_actor(store, r.kind, r.id) end,
    'row', case when r.row then actor_row(store, r.kind, r.id) end,
    'read_at', clock_timestamp()) end
  from unnest(accepted) as g
  left join jsonb_to_recordset(commits -> 'returned') as r (n integer, kind text, id uuid, whole boolean, "row" boolean)
    on r.n = g;
end
$$;
