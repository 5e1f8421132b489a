-- Where in which trace an effect or a timer was asked for, as W3C's traceparent, so that the trace goes on however
-- much later it is its turn. Null where a version before this one has asked.
alter table effects add column traceparent text check (traceparent ~ '^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$');
alter table timers add column traceparent text check (traceparent ~ '^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$');

create index gdpr_requests_type_status on gdpr_requests (type, status);

-- How many GDPR requests there are in all stores: numbers for the metrics, nothing about anybody. Whether a
-- request is held, or waits because its re-scan has found something, its machine's state tells; whether it is at risk,
-- its machine's clock; but it is overdue by the time of day: a worker that does not run must not hide that.
create function count_gdpr_requests()
returns table (
  type text, status text, requests bigint, held bigint, residue bigint, at_risk bigint, overdue bigint
)
language sql stable security definer set search_path = public, pg_temp
as $$
  select all_requests.type, all_requests.status, all_requests.requests,
    coalesce(open.held, 0), coalesce(open.residue, 0), coalesce(open.at_risk, 0), coalesce(open.overdue, 0)
  from (select type, status, count(*) as requests from gdpr_requests group by type, status) all_requests
  left join (
    select type, status,
      count(*) filter (where snapshot #>> '{value,PENDING}' = 'held') as held,
      count(*) filter (where snapshot #>> '{value,IN_PROGRESS}' = 'residue_found') as residue,
      count(*) filter (where snapshot #>> '{context,clock}' = 'AT_RISK' and due_at > now()) as at_risk,
      count(*) filter (where due_at <= now()) as overdue
    from gdpr_requests where status <> 'COMPLETED' group by type, status
  ) open on open.type = all_requests.type and open.status = all_requests.status
$$;

-- How many participants have let open requests wait for too long, by service.
create function count_overdue_participants() returns table (service text, participants bigint)
language sql stable security definer set search_path = public, pg_temp
as $$
  select p.service, count(*) filter (where p.state = 'OVERDUE')
  from gdpr_requests r
  join gdpr_participants p on p.store_id = r.store_id and p.request_id = r.request_id
  where r.status <> 'COMPLETED'
  group by p.service
$$;

revoke all on function count_gdpr_requests(), count_overdue_participants() from public;
grant execute on function count_gdpr_requests(), count_overdue_participants() to customer_worker;
