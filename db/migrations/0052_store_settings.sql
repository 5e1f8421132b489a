-- Settings of a store: one row for each store that has changed any. A null column is not stated. domain/store_settings.ts
-- describes the columns and validates them. The contact data are those of the controller, not of customers.
create table store_settings (
  store_id uuid primary key,
  name text check (length(name) <= 100),
  controller jsonb,
  data_protection_contact text check (length(data_protection_contact) <= 300),
  supervisory_authority jsonb,
  time_zone text check (length(time_zone) <= 64),
  holidays jsonb,
  closed_account_retention_days integer check (closed_account_retention_days > 0),
  erasure_grace_hours integer check (erasure_grace_hours >= 0),
  languages jsonb,
  participants jsonb,
  legal_bases jsonb,
  recipients jsonb,
  third_countries jsonb,
  automated_decisions text check (length(automated_decisions) <= 2000),
  version integer not null check (version > 0),
  created_at timestamptz not null,
  updated_at timestamptz not null
);

alter table store_settings enable row level security;
create policy one_store on store_settings to customer_api
  using (store_id = (select current_store())) with check (store_id = (select current_store()));
grant select, insert, update on store_settings to customer_api;
