-- How often somebody has asked within the current window of time. The key is a digest of a principal's id or of an
-- address; an address is counted before any store is known, under the nil UUID. Unlogged: a crash forgets the
-- counts, and nothing else.
create unlogged table rate_limits (
  store_id uuid not null,
  key text not null check (length(key) <= 64),
  points integer not null,
  -- The end of the window, in milliseconds since the epoch.
  expires bigint not null,
  primary key (store_id, key)
);

create index rate_limits_expiry on rate_limits (expires);

alter table rate_limits enable row level security;
create policy all_stores on rate_limits to customer_worker using (true);
grant select (expires), delete on rate_limits to customer_worker;

-- Counts a request, in a new window once the last one has passed.
create function count_request(
  in_store uuid, of_key text, how_many integer, window_end bigint, at_moment bigint
)
returns table (points integer, expire bigint)
language sql volatile security definer set search_path = public, pg_temp
as $$
  insert into rate_limits as counted (store_id, key, points, expires)
  values (in_store, of_key, how_many, window_end)
  on conflict (store_id, key) do update set
    points = case when counted.expires <= at_moment then how_many else counted.points + how_many end,
    expires = case when counted.expires <= at_moment then window_end else counted.expires end
  returning counted.points, counted.expires
$$;

revoke all on function count_request(uuid, text, integer, bigint, bigint) from public;
grant execute on function count_request(uuid, text, integer, bigint, bigint) to customer_reader;
