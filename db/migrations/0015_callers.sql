-- Tokens that were signed out of the inspector before they expired: every replica refuses them there. No token can be
-- derived from a row. Housekeeping deletes it once the token has expired by itself.
create table ended_sessions (
  -- The store that the token's principal acts for.
  store_id uuid not null,
  -- SHA-256 of the part of the token that is signed: a signature can be written in several ways, that part cannot.
  token_hash bytea not null check (length(token_hash) = 32),
  expires_at timestamptz not null,
  primary key (store_id, token_hash)
);

create index ended_sessions_expiry on ended_sessions (expires_at);

alter table ended_sessions enable row level security;
create policy one_store on ended_sessions to customer_api
  using (store_id = (select current_store())) with check (store_id = (select current_store()));
create policy all_stores on ended_sessions to customer_worker using (true);
grant select, insert on ended_sessions to customer_api;
grant select (expires_at), delete on ended_sessions to customer_worker;

-- A staff member and a service may have the same ID, and must not receive each other's answers. Null: stored by an
-- earlier version, which did not distinguish them; such rows expire within a day.
alter table idempotency_keys add column principal_type text
  check (principal_type in ('CUSTOMER', 'STAFF', 'SYSTEM'));
