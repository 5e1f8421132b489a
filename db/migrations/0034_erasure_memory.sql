-- Keyed hashes of the emails that a customer has had: a replaced email is hashed when it changes, the last one when the
-- customer is erased. Rows of erased customers belong to the erasure memory and are never deleted or overwritten.
create table email_hashes (
  store_id uuid not null,
  customer_id uuid not null,
  -- HMAC with a key that only this service has.
  hash bytea not null,
  -- HMAC of the same email with the key that participants have too, and the ID of that key. Null in rows of a replay.
  participant_hash bytea,
  key_id text,
  primary key (store_id, customer_id, hash),
  check ((participant_hash is null) = (key_id is null))
);

-- Finds the erased customer of an email when a person registers with it.
create index email_hashes_hash on email_hashes (store_id, hash);

insert into email_hashes (store_id, customer_id, hash) select store_id, customer_id, email_hash from erased_subjects;
alter table erased_subjects drop column email_hash;

alter table email_hashes enable row level security;
create policy one_store on email_hashes to customer_api
  using (store_id = (select current_store())) with check (store_id = (select current_store()));
grant select, insert on email_hashes to customer_api;

-- Restored databases are recognized by their contents and by positions, not by dates.
drop function lookup_last_erasure();

-- How far this database is known to contain the erasures of the topic customer.erased. A restored backup has an earlier
-- position, so the entries since then are compared again.
create table erasure_log_positions (
  partition integer primary key,
  next_offset bigint not null check (next_offset >= 0)
);

-- The marker that this database shares with a file outside of it. It is replaced after every erasure, so a restored
-- backup has another one than the file. `next` is stored before the file is written, and `current` afterwards.
create table erasure_marker (
  only_row boolean primary key default true check (only_row),
  current uuid,
  next uuid,
  -- Number of erasures in the memory when `current` was set.
  erasures bigint not null default 0
);

-- Decisions of operators to serve a restored database without a replay, and completed replays.
create table erasure_memory_decisions (
  decided_at timestamptz primary key default clock_timestamp(),
  decision text not null check (decision in ('ACCEPTED', 'REPLAYED')),
  reason text not null,
  -- Number of erasures of the log that the database lacked.
  missing bigint not null
);

grant select, insert, update, delete on erasure_log_positions to customer_worker;
grant select, insert, update on erasure_marker to customer_worker;
grant select, insert on erasure_memory_decisions to customer_worker;

-- Positions (from 1) of those hashes, in hexadecimal, that the erasure memory contains, for an erased customer.
create function lookup_erased_hashes(store_ids uuid[], customer_ids uuid[], hashes text[])
returns table ("position" integer)
language sql stable security definer set search_path = public, pg_temp
as $$
  select asked.position::integer
  from unnest(store_ids, customer_ids, hashes) with ordinality as asked (store_id, customer_id, hash, position)
  join email_hashes h on h.store_id = asked.store_id and h.customer_id = asked.customer_id
    and h.hash = decode(asked.hash, 'hex')
  join erased_subjects s on s.store_id = h.store_id and s.customer_id = h.customer_id
$$;

create function lookup_erasure_count() returns bigint
language sql stable security definer set search_path = public, pg_temp
as 'select count(*) from erased_subjects';

revoke all on function lookup_erased_hashes(uuid[], uuid[], text[]), lookup_erasure_count() from public;
grant execute on function lookup_erased_hashes(uuid[], uuid[], text[]), lookup_erasure_count() to customer_worker;
