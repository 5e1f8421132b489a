-- Days for which a store keeps completed requests, the journals of its customers, and ended holds. Null: the default of the
-- service.
alter table store_settings add column request_retention_days integer check (request_retention_days > 0);
alter table store_settings add column journal_retention_days integer check (journal_retention_days > 0);
alter table store_settings add column hold_retention_days integer check (hold_retention_days > 0);

-- A receipt stays when its request ends.
alter table erasure_receipts drop constraint erasure_receipts_store_id_request_id_fkey;

create index gdpr_requests_completed on gdpr_requests (store_id, completed_at, request_id) where status = 'COMPLETED';
create index actor_events_of_customers on actor_events (store_id, at) where actor_kind = 'customer';
create index customer_holds_ended on customer_holds (store_id, ended_at) where ended_at is not null;

-- Every store with a person, and the times before which its rows end. The arguments are the defaults, in days.
create function retention_limits(request_days integer, journal_days integer, hold_days integer)
returns table (store_id uuid, requests timestamptz, journal timestamptz, holds timestamptz)
language sql stable
as $$
  with recursive stores (id) as (
    (select c.store_id from customers c order by c.store_id limit 1)
    union all
    select (select c.store_id from customers c where c.store_id > s.id order by c.store_id limit 1)
    from stores s where s.id is not null
  ), stores_of_guests (id) as (
    (select g.store_id from guests g order by g.store_id limit 1)
    union all
    select (select g.store_id from guests g where g.store_id > s.id order by g.store_id limit 1)
    from stores_of_guests s where s.id is not null
  )
  select s.id, now() - make_interval(days => coalesce(t.request_retention_days, request_days)),
    now() - make_interval(days => coalesce(t.journal_retention_days, journal_days)),
    now() - make_interval(days => coalesce(t.hold_retention_days, hold_days))
  from (select id from stores union select id from stores_of_guests) s
  left join store_settings t on t.store_id = s.id
  where s.id is not null
$$;

-- Whether a legal hold on the customer is in effect: then nothing about the customer ends.
create function is_held(store uuid, customer uuid) returns boolean
language sql stable
as $$ select exists (select from customers c where c.store_id = store and c.customer_id = customer and c.holds > 0) $$;

-- Whether the service still works on the request or on one of its notices: the request then stays, also if an effect has
-- failed for good.
create function has_unfinished_work(store uuid, request uuid) returns boolean
language sql stable
as $$
  select exists (
      select from gdpr_notices n
      where n.store_id = store and n.request_id = request and n.delivery in ('WAITING', 'DUE'))
    or exists (
      select from (
        select 'gdpr_request' as kind, request as id
        union all
        select 'gdpr_notice', n.notice_id from gdpr_notices n where n.store_id = store and n.request_id = request
      ) a
      where exists (
          select from effects e
          where e.store_id = store and e.actor_kind = a.kind and e.actor_id = a.id and e.state <> 'DONE')
        or exists (
          select from timers t where t.store_id = store and t.actor_kind = a.kind and t.actor_id = a.id))
$$;

-- Deletes completed requests whose period has passed, with their participants, notices, documents and journals, and guests
-- without a request. Returns the number of requests.
create function delete_ended_requests(request_days integer, at_most integer) returns integer
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  stores uuid[];
  customers_of uuid[];
  requests uuid[];
  notices uuid[];
begin
  select array_agg(store_id), array_agg(customer_id) into stores, customers_of
  from (
    select r.store_id, r.customer_id
    from retention_limits(request_days, 1, 1) l
    cross join lateral (
      select q.store_id, q.customer_id from gdpr_requests q
      where q.store_id = l.store_id and q.status = 'COMPLETED' and q.completed_at < l.requests
        and not is_held(q.store_id, q.customer_id) and not has_unfinished_work(q.store_id, q.request_id)
      order by q.completed_at limit at_most
    ) r
    limit at_most
  ) candidates;
  if stores is null then return 0; end if;
  -- A hold that is being placed is either stored before this statement returns, or waits for the end of the transaction.
  perform from customers c
  where (c.store_id, c.customer_id) in (select * from unnest(stores, customers_of))
  order by c.store_id, c.customer_id for share;

  select array_agg(store_id), array_agg(request_id) into stores, requests
  from (
    select q.store_id, q.request_id
    from retention_limits(request_days, 1, 1) l
    join gdpr_requests q on q.store_id = l.store_id and q.status = 'COMPLETED' and q.completed_at < l.requests
    where (q.store_id, q.customer_id) in (select * from unnest(stores, customers_of))
      and not is_held(q.store_id, q.customer_id) and not has_unfinished_work(q.store_id, q.request_id)
    limit at_most
    for update of q skip locked
  ) ended;
  if stores is null then return 0; end if;

  delete from actor_events e using unnest(stores, requests) as r (store_id, request_id)
  where e.store_id = r.store_id and e.actor_kind = 'gdpr_request' and e.actor_id = r.request_id;
  delete from actor_events e using unnest(stores, requests) as r (store_id, request_id), gdpr_notices n
  where n.store_id = r.store_id and n.request_id = r.request_id
    and e.store_id = n.store_id and e.actor_kind = 'gdpr_notice' and e.actor_id = n.notice_id;
  delete from gdpr_notices n using unnest(stores, requests) as r (store_id, request_id)
  where n.store_id = r.store_id and n.request_id = r.request_id;
  delete from gdpr_participants p using unnest(stores, requests) as r (store_id, request_id)
  where p.store_id = r.store_id and p.request_id = r.request_id;
  delete from gdpr_export_parts p using unnest(stores, requests) as r (store_id, request_id)
  where p.store_id = r.store_id and p.request_id = r.request_id;
  with deleted as (
    delete from gdpr_requests q using unnest(stores, requests) as r (store_id, request_id)
    where q.store_id = r.store_id and q.request_id = r.request_id
    returning q.store_id, q.customer_id, q.request_id, q.is_guest
  )
  delete from guests g using deleted d
  where d.is_guest and g.store_id = d.store_id and g.customer_id = d.customer_id and g.sealed_contact is null
    and not exists (
      select from gdpr_requests q
      where q.store_id = g.store_id and q.customer_id = g.customer_id
        and (q.store_id, q.request_id) not in (select * from unnest(stores, requests)));
  return cardinality(requests);
end
$$;

-- Deletes holds that ended before their period. Returns their number.
create function delete_ended_holds(hold_days integer, at_most integer) returns integer
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  deleted integer;
begin
  delete from customer_holds h where (h.store_id, h.hold_id) in (
    select e.store_id, e.hold_id
    from retention_limits(1, 1, hold_days) l
    cross join lateral (
      select q.store_id, q.hold_id from customer_holds q
      join customers c on c.store_id = q.store_id and c.customer_id = q.customer_id and c.holds = 0
      where q.store_id = l.store_id and q.ended_at < l.holds
      order by q.ended_at limit at_most
      for share of c skip locked
    ) e
    limit at_most);
  get diagnostics deleted = row_count;
  return deleted;
end
$$;

-- Deletes events of the journals of customers whose period has passed. The event that has placed a hold stays as long as
-- the hold, because it has the note of the hold. Returns the number of events.
create function delete_ended_journals(journal_days integer, at_most integer) returns integer
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  deleted integer;
begin
  delete from actor_events e where e.actor_kind = 'customer' and (e.store_id, e.actor_id, e.sequence) in (
    select o.store_id, o.actor_id, o.sequence
    from retention_limits(1, journal_days, 1) l
    cross join lateral (
      select q.store_id, q.actor_id, q.sequence from actor_events q
      join customers c on c.store_id = q.store_id and c.customer_id = q.actor_id and c.holds = 0
      where q.store_id = l.store_id and q.actor_kind = 'customer' and q.at < l.journal
        and not exists (
          select from customer_holds h
          where h.store_id = q.store_id and h.customer_id = q.actor_id and h.placed_sequence = q.sequence)
      order by q.at limit at_most
      for share of c skip locked
    ) o
    limit at_most);
  get diagnostics deleted = row_count;
  return deleted;
end
$$;

-- Number of rows of each store that the functions above would delete now.
create function count_ended_rows(request_days integer, journal_days integer, hold_days integer)
returns table (store_id uuid, requests bigint, notices bigint, request_events bigint, holds bigint, customer_events bigint)
language sql stable security definer set search_path = public, pg_temp
as $$
  select l.store_id, r.requests, r.notices, r.events, h.holds, e.events
  from retention_limits(request_days, journal_days, hold_days) l
  cross join lateral (
    select count(*) as requests, coalesce(sum(n.notices), 0)::bigint as notices,
      coalesce(sum(n.events + (
        select count(*) from actor_events a
        where a.store_id = q.store_id and a.actor_kind = 'gdpr_request' and a.actor_id = q.request_id)), 0)::bigint as events
    from gdpr_requests q
    cross join lateral (
      select count(*) as notices, coalesce(sum((
        select count(*) from actor_events a
        where a.store_id = p.store_id and a.actor_kind = 'gdpr_notice' and a.actor_id = p.notice_id)), 0) as events
      from gdpr_notices p where p.store_id = q.store_id and p.request_id = q.request_id
    ) n
    where q.store_id = l.store_id and q.status = 'COMPLETED' and q.completed_at < l.requests
      and not is_held(q.store_id, q.customer_id) and not has_unfinished_work(q.store_id, q.request_id)
  ) r
  cross join lateral (
    select count(*) as holds from customer_holds q
    where q.store_id = l.store_id and q.ended_at < l.holds and not is_held(q.store_id, q.customer_id)
  ) h
  cross join lateral (
    select count(*) as events from actor_events q
    where q.store_id = l.store_id and q.actor_kind = 'customer' and q.at < l.journal
      and not is_held(q.store_id, q.actor_id)
      and not exists (
        select from customer_holds p
        where p.store_id = q.store_id and p.customer_id = q.actor_id and p.placed_sequence = q.sequence
          and (p.ended_at is null or p.ended_at >= l.holds))
  ) e
$$;

revoke all on function retention_limits(integer, integer, integer), is_held(uuid, uuid), has_unfinished_work(uuid, uuid),
  delete_ended_requests(integer, integer), delete_ended_holds(integer, integer), delete_ended_journals(integer, integer),
  count_ended_rows(integer, integer, integer) from public;
grant execute on function delete_ended_requests(integer, integer), delete_ended_holds(integer, integer),
  delete_ended_journals(integer, integer), count_ended_rows(integer, integer, integer) to customer_worker;
