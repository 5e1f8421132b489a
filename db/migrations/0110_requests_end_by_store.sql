-- Completed requests end store by store, as the other records do since 0097.

-- Deletes requests of a store with their participants, notices, documents and journals, and guests without a request, with
-- the hashes of those who were not erased. The requests must be locked.
create function delete_requests_of(store uuid, requests uuid[]) returns void
language plpgsql
as $$
declare
  notices uuid[];
  persons uuid[];
begin
  select array_agg(n.notice_id) into notices from gdpr_notices n where n.store_id = store and n.request_id = any (requests);
  delete from actor_events e
  where e.store_id = store and e.actor_kind = 'gdpr_request' and e.actor_id = any (requests);
  delete from actor_events e
  where e.store_id = store and e.actor_kind = 'gdpr_notice' and e.actor_id = any (notices);
  delete from gdpr_notices n where n.store_id = store and n.request_id = any (requests);
  delete from gdpr_participants p where p.store_id = store and p.request_id = any (requests);
  delete from gdpr_export_parts p where p.store_id = store and p.request_id = any (requests);
  select array_agg(q.customer_id) into persons
  from gdpr_requests q where q.store_id = store and q.request_id = any (requests) and q.is_guest;
  delete from gdpr_requests q where q.store_id = store and q.request_id = any (requests);
  if persons is null then return; end if;
  select array_agg(g.customer_id) into persons
  from guests g
  where g.store_id = store and g.customer_id = any (persons) and g.sealed_contact is null
    and not exists (select from gdpr_requests q where q.store_id = store and q.customer_id = g.customer_id);
  delete from guests g where g.store_id = store and g.customer_id = any (persons);
  delete from email_hashes h
  where h.store_id = store and h.customer_id = any (persons)
    and not exists (select from erased_subjects s where s.store_id = store and s.customer_id = h.customer_id);
end
$$;

-- Deletes completed requests of a store that were completed before a time, with all that belongs to them. Returns the number
-- of requests.
create function delete_ended_requests_of(store uuid, before timestamptz, at_most integer) returns integer
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  subjects uuid[];
  requests uuid[];
begin
  select array_agg(e.customer_id) into subjects
  from (
    select q.customer_id from gdpr_requests q
    where q.store_id = store and q.status = 'COMPLETED' and q.completed_at < before
      and not exists (select from customers c where c.store_id = store and c.customer_id = q.customer_id and c.holds > 0)
      and not exists (select from unfinished_requests u where u.store_id = store and u.request_id = q.request_id)
    order by q.completed_at limit at_most
  ) e;
  if subjects is null then return 0; end if;
  -- A hold that is being placed is either stored before this statement returns, or waits for the end of the transaction.
  perform from customers c where c.store_id = store and c.customer_id = any (subjects) order by c.customer_id for share;

  select array_agg(e.request_id) into requests
  from (
    select q.request_id from gdpr_requests q
    where q.store_id = store and q.status = 'COMPLETED' and q.completed_at < before and q.customer_id = any (subjects)
      and not exists (select from customers c where c.store_id = store and c.customer_id = q.customer_id and c.holds > 0)
      and not exists (select from unfinished_requests u where u.store_id = store and u.request_id = q.request_id)
    limit at_most
    for update of q skip locked
  ) e;
  if requests is null then return 0; end if;

  perform delete_requests_of(store, requests);
  return cardinality(requests);
end
$$;

-- The same for all stores, until so many are deleted. The first argument is the default period, in days.
create or replace function delete_ended_requests(request_days integer, at_most integer) returns integer
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  store record;
  deleted integer := 0;
begin
  for store in select l.store_id, l.requests from retention_limits(request_days, 1, 1) l loop
    exit when deleted >= at_most;
    deleted := deleted + delete_ended_requests_of(store.store_id, store.requests, at_most - deleted);
  end loop;
  return deleted;
end
$$;

revoke all on function delete_requests_of(uuid, uuid[]), delete_ended_requests_of(uuid, timestamptz, integer) from public;
