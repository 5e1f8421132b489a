-- Housekeeping store by store, in statements that Citus runs on one node. Views instead of functions have the conditions,
-- because a function cannot read tables where the rows are.

-- Requests on which the service still works, or on one of whose notices: they stay, also if an effect has failed for good.
create view unfinished_requests as
  select store_id, request_id from gdpr_notices where delivery in ('WAITING', 'DUE')
  union all
  select store_id, actor_id from effects where actor_kind = 'gdpr_request' and state <> 'DONE'
  union all
  select store_id, actor_id from timers where actor_kind = 'gdpr_request'
  union all
  select n.store_id, n.request_id from gdpr_notices n
  join effects e on e.store_id = n.store_id and e.actor_kind = 'gdpr_notice' and e.actor_id = n.notice_id
  where e.state <> 'DONE'
  union all
  select n.store_id, n.request_id from gdpr_notices n
  join timers t on t.store_id = n.store_id and t.actor_kind = 'gdpr_notice' and t.actor_id = n.notice_id;

-- Persons whose contact data are needed: for an open request, for documents that can be handed over, or for a notice that is
-- unsettled, or was undeliverable until a month ago, so that staff inform the person in another way.
create view needed_contacts as
  select store_id, customer_id from gdpr_requests
  where status <> 'COMPLETED' or snapshot -> 'value' ->> 'COMPLETED' = 'available'
  union all
  select store_id, customer_id from gdpr_notices
  where delivery in ('WAITING', 'DUE') or (delivery = 'UNDELIVERABLE' and settled_at > now() - interval '30 days');

-- Stores with rows in a table of persons, in no order.
create function find_stores(persons regclass) returns uuid[]
language plpgsql stable
as $$
declare
  stores uuid[] := '{}';
  latest uuid;
begin
  if is_distributed() then
    execute format('select array_agg(distinct store_id) from %s', persons) into stores;
    return coalesce(stores, '{}');
  end if;
  loop -- reads one row of each store from the index
    execute format('select store_id from %s where $1 is null or store_id > $1 order by store_id limit 1', persons)
    into latest using latest;
    exit when latest is null;
    stores := stores || latest;
  end loop;
  return stores;
end
$$;

-- As in 0077: every store with a person, and the times before which its rows end.
create or replace function retention_limits(request_days integer, journal_days integer, hold_days integer)
returns table (store_id uuid, requests timestamptz, journal timestamptz, holds timestamptz)
language plpgsql stable
as $$
#variable_conflict use_column
declare
  stores constant uuid[] := find_stores('customers') || find_stores('guests');
  store uuid;
begin
  for store in select distinct id from unnest(stores) as id loop
    select store, now() - make_interval(days => coalesce(max(t.request_retention_days), request_days)),
      now() - make_interval(days => coalesce(max(t.journal_retention_days), journal_days)),
      now() - make_interval(days => coalesce(max(t.hold_retention_days), hold_days))
    into store_id, requests, journal, holds
    from store_settings t where t.store_id = store;
    return next;
  end loop;
end
$$;

-- Deletes holds of a store that ended before a time. Returns their number.
create function delete_ended_holds_of(store uuid, before timestamptz, at_most integer) returns integer
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  ended uuid[];
begin
  select array_agg(e.hold_id) into ended
  from (
    select q.hold_id from customer_holds q
    join customers c on c.store_id = store and c.customer_id = q.customer_id and c.holds = 0
    where q.store_id = store and q.ended_at < before
    order by q.ended_at limit at_most
    for share of c skip locked
  ) e;
  delete from customer_holds h where h.store_id = store and h.hold_id = any (ended);
  return coalesce(cardinality(ended), 0);
end
$$;

-- Deletes events of the journals of a store's customers that are older than a time. The event that has placed a hold stays as
-- long as the hold, because it has the note of the hold. Returns the number of events.
create function delete_ended_journals_of(store uuid, before timestamptz, at_most integer) returns integer
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  ids uuid[];
  sequences integer[];
begin
  select array_agg(o.actor_id), array_agg(o.sequence) into ids, sequences
  from (
    select q.actor_id, q.sequence from actor_events q
    join customers c on c.store_id = store and c.customer_id = q.actor_id and c.holds = 0
    where q.store_id = store and q.actor_kind = 'customer' and q.at < before
      and not exists (
        select from customer_holds h
        where h.store_id = store and h.customer_id = q.actor_id and h.placed_sequence = q.sequence)
    order by q.at limit at_most
    for share of c skip locked
  ) o;
  delete from actor_events e
  using unnest(ids, sequences) as o (actor_id, sequence)
  where e.store_id = store and e.actor_kind = 'customer' and e.actor_id = o.actor_id and e.sequence = o.sequence;
  return coalesce(cardinality(ids), 0);
end
$$;

-- Destroys the contact data of a store's guests that nothing needs. Returns their number. The hashes of the email stay as
-- long as a request: a later request of the person is recognized by them.
create function destroy_unneeded_contacts_of(store uuid, at_most integer) returns integer
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  persons uuid[];
  destroyed integer;
begin
  select array_agg(e.customer_id) into persons
  from (
    select g.customer_id from guests g
    where g.store_id = store and g.sealed_contact is not null
      and not exists (select from needed_contacts n where n.store_id = store and n.customer_id = g.customer_id)
    order by g.created_at limit at_most
    for update of g skip locked
  ) e;
  if persons is null then return 0; end if;
  -- A request that was opened before the lock is visible to this statement, and a later one waits for the lock.
  update guests g set sealed_contact = null, key_id = null
  where g.store_id = store and g.customer_id = any (persons)
    and not exists (select from needed_contacts n where n.store_id = store and n.customer_id = g.customer_id);
  get diagnostics destroyed = row_count;
  return destroyed;
end
$$;

-- The same for all stores, until so many rows are deleted. The first arguments are the default periods, in days.
create or replace function delete_ended_holds(hold_days integer, at_most integer) returns integer
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  store record;
  deleted integer := 0;
begin
  for store in select l.store_id, l.holds from retention_limits(1, 1, hold_days) l loop
    exit when deleted >= at_most;
    deleted := deleted + delete_ended_holds_of(store.store_id, store.holds, at_most - deleted);
  end loop;
  return deleted;
end
$$;

create or replace function delete_ended_journals(journal_days integer, at_most integer) returns integer
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  store record;
  deleted integer := 0;
begin
  for store in select l.store_id, l.journal from retention_limits(1, journal_days, 1) l loop
    exit when deleted >= at_most;
    deleted := deleted + delete_ended_journals_of(store.store_id, store.journal, at_most - deleted);
  end loop;
  return deleted;
end
$$;

create or replace function destroy_unneeded_contacts(at_most integer) returns integer
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  store uuid;
  destroyed integer := 0;
begin
  foreach store in array find_stores('guests') loop
    exit when destroyed >= at_most;
    destroyed := destroyed + destroy_unneeded_contacts_of(store, at_most - destroyed);
  end loop;
  return destroyed;
end
$$;

-- As in 0077, in PL/pgSQL.
create or replace function is_held(store uuid, customer uuid) returns boolean
language plpgsql stable
as $$
begin
  return exists (select from customers c where c.store_id = store and c.customer_id = customer and c.holds > 0);
end
$$;

create or replace function has_unfinished_work(store uuid, request uuid) returns boolean
language plpgsql stable
as $$
begin
  return exists (select from unfinished_requests u where u.store_id = store and u.request_id = request);
end
$$;

-- Number of rows of each store that the functions above would delete now.
create or replace function count_ended_rows(request_days integer, journal_days integer, hold_days integer)
returns table (store_id uuid, requests bigint, notices bigint, request_events bigint, holds bigint, customer_events bigint)
language plpgsql stable security definer set search_path = public, pg_temp
as $$
#variable_conflict use_column
declare
  store record;
  ended uuid[];
  of_requests uuid[];
begin
  for store in
    select l.store_id as id, l.requests, l.journal, l.holds from retention_limits(request_days, journal_days, hold_days) l
  loop
    select array_agg(q.request_id) into ended
    from gdpr_requests q
    where q.store_id = store.id and q.status = 'COMPLETED' and q.completed_at < store.requests
      and not exists (
        select from customers c where c.store_id = store.id and c.customer_id = q.customer_id and c.holds > 0)
      and not exists (select from unfinished_requests u where u.store_id = store.id and u.request_id = q.request_id);
    select array_agg(n.notice_id) into of_requests
    from gdpr_notices n where n.store_id = store.id and n.request_id = any (ended);
    store_id := store.id;
    requests := coalesce(cardinality(ended), 0);
    notices := coalesce(cardinality(of_requests), 0);
    select count(*) into request_events from actor_events a
    where a.store_id = store.id and (
      (a.actor_kind = 'gdpr_request' and a.actor_id = any (ended))
      or (a.actor_kind = 'gdpr_notice' and a.actor_id = any (of_requests)));
    select count(*) into holds from customer_holds q
    where q.store_id = store.id and q.ended_at < store.holds
      and not exists (
        select from customers c where c.store_id = store.id and c.customer_id = q.customer_id and c.holds > 0);
    select count(*) into customer_events from actor_events q
    where q.store_id = store.id and q.actor_kind = 'customer' and q.at < store.journal
      and not exists (select from customers c where c.store_id = store.id and c.customer_id = q.actor_id and c.holds > 0)
      and not exists (
        select from customer_holds p
        where p.store_id = store.id and p.customer_id = q.actor_id and p.placed_sequence = q.sequence
          and (p.ended_at is null or p.ended_at >= store.holds));
    return next;
  end loop;
end
$$;

drop function needs_contact(uuid, uuid);

-- As in 0034, store by store.
create or replace function lookup_erased_hashes(store_ids uuid[], customer_ids uuid[], hashes text[])
returns table ("position" integer)
language plpgsql stable security definer set search_path = public, pg_temp
as $$
declare
  store uuid;
begin
  for store in select distinct id from unnest(store_ids) as id loop
    return query
    select keys.position::integer
    from unnest(store_ids, customer_ids, hashes) with ordinality as keys (store_id, customer_id, hash, position)
    join email_hashes h on h.store_id = store and h.customer_id = keys.customer_id and h.hash = decode(keys.hash, 'hex')
    join erased_subjects s on s.store_id = store and s.customer_id = h.customer_id
    where keys.store_id = store;
  end loop;
end
$$;

-- As in 0084, in PL/pgSQL.
create or replace function find_requests_by_last_digits(digits text, at_most integer)
returns table (request_id uuid, customer_id uuid)
language plpgsql stable security definer set search_path = public, pg_temp
as $$
#variable_conflict use_column
declare
  store constant uuid := current_store();
begin
  return query
  (select r.request_id, r.customer_id from gdpr_requests r
   where r.store_id = store and right(r.request_id::text, 8) = digits limit at_most)
  union
  (select r.request_id, r.customer_id from gdpr_requests r
   where r.store_id = store and right(r.customer_id::text, 8) = digits limit at_most);
end
$$;

revoke all on function find_stores(regclass), delete_ended_holds_of(uuid, timestamptz, integer), delete_ended_journals_of(uuid, timestamptz, integer),
  destroy_unneeded_contacts_of(uuid, integer) from public;
