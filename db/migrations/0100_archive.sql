-- Records that leave the database for an archive. An event of a customer's journal may leave if the customer has no legal hold
-- in effect, and the event has not placed a hold, whose note it has. The conditions are in each statement: PostgreSQL does not
-- inline a function with a subquery, and calling one for each event takes ten times as long.

-- Calendar months in UTC that end before a time and have events of customers that may leave, by store.
create function archivable_event_months(before timestamptz)
returns table (store_id uuid, since timestamptz, until timestamptz)
language plpgsql stable security definer set search_path = public, pg_temp
as $$
declare
  next_at timestamptz;
begin
  for store_id in select l.store_id from retention_limits(1, 1, 1) l order by 1 loop
    until := '-infinity';
    loop
      select e.at into next_at from actor_events e
      join customers c on c.store_id = e.store_id and c.customer_id = e.actor_id and c.holds = 0
      where e.store_id = archivable_event_months.store_id and e.actor_kind = 'customer' and e.at >= until
        and e.at < before and not exists (
          select from customer_holds h
          where h.store_id = e.store_id and h.customer_id = e.actor_id and h.placed_sequence = e.sequence)
      order by e.at limit 1;
      exit when next_at is null;
      since := date_trunc('month', next_at, 'UTC');
      until := (since at time zone 'UTC' + interval '1 month') at time zone 'UTC';
      exit when until > before;
      return next;
    end loop;
  end loop;
end
$$;

-- Events of customers in a period that may leave, without the columns to omit, after an event of the same order.
create function archivable_events(
  store uuid, since timestamptz, until timestamptz, after_at timestamptz, after_actor uuid, after_sequence integer,
  omitted text[], at_most integer
) returns setof jsonb
language plpgsql stable security definer set search_path = public, pg_temp
as $$
begin
  return query select to_jsonb(e) - omitted from actor_events e
  join customers c on c.store_id = e.store_id and c.customer_id = e.actor_id and c.holds = 0
  where e.store_id = store and e.actor_kind = 'customer' and e.at >= greatest(since, after_at) and e.at < until
    and (e.at, e.actor_id, e.sequence) > (after_at, after_actor, after_sequence) and not exists (
      select from customer_holds h
      where h.store_id = e.store_id and h.customer_id = e.actor_id and h.placed_sequence = e.sequence)
  order by e.at, e.actor_id, e.sequence limit at_most;
end
$$;

-- Deletes the events that may leave and equal an archived one, except in the columns to omit. Returns their number.
create function delete_archived_events(store uuid, archived jsonb[], omitted text[]) returns integer
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  deleted integer;
begin
  -- A hold that is being placed is either stored before the deletion, or waits for the end of the transaction.
  perform from customers c
  where c.store_id = store and c.customer_id in (select (a ->> 'actor_id')::uuid from unnest(archived) a)
  order by c.customer_id for share;
  delete from actor_events e using unnest(archived) a, customers c
  where e.store_id = store and e.actor_kind = 'customer' and e.actor_id = (a ->> 'actor_id')::uuid
    and e.sequence = (a ->> 'sequence')::integer and to_jsonb(e) - omitted = a
    and c.store_id = store and c.customer_id = e.actor_id and c.holds = 0 and not exists (
      select from customer_holds h
      where h.store_id = e.store_id and h.customer_id = e.actor_id and h.placed_sequence = e.sequence);
  get diagnostics deleted = row_count;
  return deleted;
end
$$;

-- Whether a request is completed and may leave the database.
create function may_leave(q gdpr_requests) returns boolean
language plpgsql stable
as $$
begin
  return q.status = 'COMPLETED' and not is_held(q.store_id, q.customer_id)
    and not has_unfinished_work(q.store_id, q.request_id);
end
$$;

-- A request with its participants, notices and journals, without the columns to omit.
create function archived_request(q gdpr_requests, omitted text[]) returns jsonb
language plpgsql stable
as $$
begin
  return jsonb_build_object(
    'request', to_jsonb(q) - omitted,
    'participants', (
      select coalesce(jsonb_agg(to_jsonb(p) - omitted order by p.service), '[]') from gdpr_participants p
      where p.store_id = q.store_id and p.request_id = q.request_id),
    'notices', (
      select coalesce(jsonb_agg(to_jsonb(n) - omitted order by n.notice_id), '[]') from gdpr_notices n
      where n.store_id = q.store_id and n.request_id = q.request_id),
    'events', (
      select coalesce(jsonb_agg(to_jsonb(e) - omitted order by e.at, e.actor_id, e.sequence), '[]') from actor_events e
      where e.store_id = q.store_id and (
        e.actor_kind = 'gdpr_request' and e.actor_id = q.request_id
        or e.actor_kind = 'gdpr_notice' and e.actor_id in (
          select n.notice_id from gdpr_notices n where n.store_id = q.store_id and n.request_id = q.request_id))));
end
$$;

-- Months in which requests were completed that may leave, as archivable_event_months.
create function archivable_request_months(before timestamptz)
returns table (store_id uuid, since timestamptz, until timestamptz)
language plpgsql stable security definer set search_path = public, pg_temp
as $$
declare
  next_at timestamptz;
begin
  for store_id in select l.store_id from retention_limits(1, 1, 1) l order by 1 loop
    until := '-infinity';
    loop
      select q.completed_at into next_at from gdpr_requests q
      where q.store_id = archivable_request_months.store_id and q.status = 'COMPLETED' and q.completed_at >= until
        and q.completed_at < before and may_leave(q)
      order by q.completed_at limit 1;
      exit when next_at is null;
      since := date_trunc('month', next_at, 'UTC');
      until := (since at time zone 'UTC' + interval '1 month') at time zone 'UTC';
      exit when until > before;
      return next;
    end loop;
  end loop;
end
$$;

-- Requests that were completed in a period and may leave, after a request of the same order.
create function archivable_requests(
  store uuid, since timestamptz, until timestamptz, after_at timestamptz, after_request uuid, omitted text[],
  at_most integer
) returns setof jsonb
language plpgsql stable security definer set search_path = public, pg_temp
as $$
begin
  return query select archived_request(q, omitted) from gdpr_requests q
  where q.store_id = store and q.status = 'COMPLETED' and q.completed_at >= since and q.completed_at < until
    and (q.completed_at, q.request_id) > (after_at, after_request) and may_leave(q)
  order by q.completed_at, q.request_id limit at_most;
end
$$;

-- Deletes the requests that may leave and equal an archived one, with all that belongs to them (delete_requests_of, 0110).
-- Returns their number.
create function delete_archived_requests(store uuid, archived jsonb[], omitted text[]) returns integer
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  requests uuid[];
begin
  -- A hold that is being placed is either stored before the deletion, or waits for the end of the transaction.
  perform from customers c
  where c.store_id = store and c.customer_id in (select (a -> 'request' ->> 'customer_id')::uuid from unnest(archived) a)
  order by c.customer_id for share;
  perform from gdpr_requests q
  where q.store_id = store and q.request_id in (select (a -> 'request' ->> 'request_id')::uuid from unnest(archived) a)
  order by q.request_id for update;
  select array_agg(q.request_id) into requests
  from gdpr_requests q join unnest(archived) a on (a -> 'request' ->> 'request_id')::uuid = q.request_id
  where q.store_id = store and may_leave(q) and archived_request(q, omitted) = a;
  if requests is null then return 0; end if;
  perform delete_requests_of(store, requests);
  return cardinality(requests);
end
$$;

revoke all on function may_leave(gdpr_requests), archivable_event_months(timestamptz),
  archivable_events(uuid, timestamptz, timestamptz, timestamptz, uuid, integer, text[], integer),
  delete_archived_events(uuid, jsonb[], text[]),
  archived_request(gdpr_requests, text[]), archivable_request_months(timestamptz),
  archivable_requests(uuid, timestamptz, timestamptz, timestamptz, uuid, text[], integer),
  delete_archived_requests(uuid, jsonb[], text[]) from public;
grant execute on function archivable_event_months(timestamptz),
  archivable_events(uuid, timestamptz, timestamptz, timestamptz, uuid, integer, text[], integer),
  delete_archived_events(uuid, jsonb[], text[]), archivable_request_months(timestamptz),
  archivable_requests(uuid, timestamptz, timestamptz, timestamptz, uuid, text[], integer),
  delete_archived_requests(uuid, jsonb[], text[]) to customer_worker;
