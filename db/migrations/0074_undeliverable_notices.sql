-- UNDELIVERABLE: the address has refused the notice, or the customer was erased and no address is left.
alter table gdpr_notices drop constraint gdpr_notices_delivery_check;
alter table gdpr_notices add constraint gdpr_notices_delivery_check
  check (delivery in ('WAITING', 'DUE', 'DELIVERED', 'WAIVED', 'EXPIRED', 'UNDELIVERABLE'));

drop index gdpr_notices_undelivered;
create index gdpr_notices_undelivered on gdpr_notices (store_id, due_at)
  where delivery in ('DUE', 'EXPIRED', 'UNDELIVERABLE');

-- As in 0059, with the undeliverable ones.
drop function count_gdpr_notices();
create function count_gdpr_notices()
returns table (kind text, due integer, overdue integer, expired integer, undeliverable integer)
language sql stable security definer set search_path = public, pg_temp
as $$
  select kind, count(*) filter (where delivery = 'DUE')::int,
    count(*) filter (where delivery = 'DUE' and due_at < now())::int,
    count(*) filter (where delivery = 'EXPIRED')::int,
    count(*) filter (where delivery = 'UNDELIVERABLE')::int
  from gdpr_notices where delivery in ('DUE', 'EXPIRED', 'UNDELIVERABLE') group by kind
$$;

revoke all on function count_gdpr_notices() from public;
grant execute on function count_gdpr_notices() to customer_worker;
