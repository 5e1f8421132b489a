create index customer_holds_in_effect on customer_holds (ground) where ended_at is null;

-- Legal holds in effect of all stores by ground, for the metrics. Old: placed more than a year ago, without an end.
create function count_customer_holds()
returns table (ground text, in_effect integer, old integer)
language sql stable security definer set search_path = public, pg_temp
as $$
  select ground, count(*)::int,
    count(*) filter (where until is null and placed_at < now() - interval '1 year')::int
  from customer_holds where ended_at is null group by ground
$$;

revoke all on function count_customer_holds() from public;
grant execute on function count_customer_holds() to customer_worker;
