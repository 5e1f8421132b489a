-- The store that the transaction has entered; null outside of any, so that policies show nothing.
create function current_store() returns uuid
  language sql stable
  return nullif(current_setting('app.store_id', true), '')::uuid;

-- A shopper of one store, as a person and as a commercial entity. The row is the state of the customer's
-- machine: status and anonymized_at name it, version counts the commands it has accepted.
create table customers (
  store_id uuid not null,
  customer_id uuid not null,
  email text check (length(email) <= 254),
  first_name text check (length(first_name) <= 100),
  last_name text check (length(last_name) <= 100),
  phone text check (phone ~ '^\+[1-9][0-9]{1,14}$'),
  locale text check (length(locale) <= 35),
  status text not null check (status in ('ACTIVE', 'SUSPENDED', 'CLOSED')),
  version integer not null check (version > 0),
  created_at timestamptz not null,
  updated_at timestamptz not null,
  anonymized_at timestamptz,
  primary key (store_id, customer_id),
  constraint customers_anonymized_is_empty check (
    case when anonymized_at is null then email is not null
    else email is null and first_name is null and last_name is null and phone is null and locale is null end
  )
);

create unique index customers_email on customers (store_id, lower(email)) where anonymized_at is null;
create index customers_status on customers (store_id, status);

-- Where a customer's parcels and invoices go. An erasure empties the row and leaves its id.
create table customer_addresses (
  store_id uuid not null,
  address_id uuid not null,
  customer_id uuid not null,
  line1 text check (length(line1) <= 200),
  line2 text check (length(line2) <= 200),
  city text check (length(city) <= 100),
  state text check (length(state) <= 100),
  country text check (country ~ '^[A-Z]{2}$'),
  postal_code text check (length(postal_code) <= 20),
  is_default_shipping boolean not null default false,
  is_default_billing boolean not null default false,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  primary key (store_id, address_id),
  foreign key (store_id, customer_id) references customers (store_id, customer_id),
  constraint customer_addresses_whole_or_empty check (
    (line1 is not null and city is not null and country is not null)
    or (coalesce(line1, line2, city, state, country, postal_code) is null)
  )
);

create index customer_addresses_customer on customer_addresses (store_id, customer_id);
create unique index customer_addresses_default_shipping
  on customer_addresses (store_id, customer_id) where is_default_shipping;
create unique index customer_addresses_default_billing
  on customer_addresses (store_id, customer_id) where is_default_billing;
