-- Whether something needs the contact data of a guest: an open request, documents that can be handed over, or a notice that
-- is unsettled, or was undeliverable until a month ago, so that staff inform the person in another way.
create function needs_contact(store uuid, person uuid) returns boolean
language sql stable
as $$
  select exists (
      select from gdpr_requests r
      where r.store_id = store and r.customer_id = person
        and (r.status <> 'COMPLETED' or r.snapshot -> 'value' ->> 'COMPLETED' = 'available'))
    or exists (
      select from gdpr_notices n
      where n.store_id = store and n.customer_id = person
        and (n.delivery in ('WAITING', 'DUE')
          or (n.delivery = 'UNDELIVERABLE' and n.settled_at > now() - interval '30 days')))
$$;

drop function destroy_unneeded_contacts();

-- Destroys the contact data of guests that nothing needs. Returns their number. The hashes of the email stay as long as a
-- request: a later request of the person is recognized by them.
create function destroy_unneeded_contacts(at_most integer) returns integer
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  stores uuid[];
  persons uuid[];
  destroyed integer;
begin
  select array_agg(store_id), array_agg(customer_id) into stores, persons
  from (
    select g.store_id, g.customer_id from guests g
    where g.sealed_contact is not null and not needs_contact(g.store_id, g.customer_id)
    order by g.store_id, g.created_at limit at_most
    for update of g skip locked
  ) locked;
  if stores is null then return 0; end if;
  -- A request that was opened before the lock is visible to this statement, and a later one waits for the lock.
  update guests g set sealed_contact = null, key_id = null
  from unnest(stores, persons) as k (store_id, customer_id)
  where g.store_id = k.store_id and g.customer_id = k.customer_id and not needs_contact(k.store_id, k.customer_id);
  get diagnostics destroyed = row_count;
  return destroyed;
end
$$;

revoke all on function destroy_unneeded_contacts(integer) from public;
grant execute on function destroy_unneeded_contacts(integer) to customer_worker;

-- Deletes completed requests whose period has passed, with their participants, notices, documents and journals, and guests
-- without a request, with the hashes of those who were not erased. Returns the number of requests.
create or replace function delete_ended_requests(request_days integer, at_most integer) returns integer
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
  ), ended_guests as (
    delete from guests g using deleted d
    where d.is_guest and g.store_id = d.store_id and g.customer_id = d.customer_id and g.sealed_contact is null
      and not exists (
        select from gdpr_requests q
        where q.store_id = g.store_id and q.customer_id = g.customer_id
          and (q.store_id, q.request_id) not in (select * from unnest(stores, requests)))
    returning g.store_id, g.customer_id
  )
  delete from email_hashes h using ended_guests g
  where h.store_id = g.store_id and h.customer_id = g.customer_id
    and not exists (
      select from erased_subjects s where s.store_id = h.store_id and s.customer_id = h.customer_id);
  return cardinality(requests);
end
$$;
