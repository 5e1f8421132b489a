-- A legal hold on a customer: while one is in effect, no erasure starts. A hold ends when it is lifted or when its time
-- has passed. Its note is in the journal of the customer, at placed_sequence.
create table customer_holds (
  store_id uuid not null,
  hold_id uuid not null,
  customer_id uuid not null,
  ground text not null check (ground in ('LEGAL_CLAIM', 'LEGAL_OBLIGATION', 'AUTHORITY_ORDER', 'PUBLIC_INTEREST')),
  -- When the hold ends by itself; null: it stays until it is lifted.
  until timestamptz,
  placed_at timestamptz not null,
  placed_by uuid not null,
  -- The service that has placed the hold; null for staff.
  placed_by_service text,
  -- Sequence of the customer's event that has placed the hold.
  placed_sequence integer not null,
  ended_at timestamptz,
  -- Who has lifted the hold; null while it is in effect, and for a hold whose time has passed.
  lifted_by uuid,
  lifted_by_service text,
  primary key (store_id, hold_id),
  foreign key (store_id, customer_id) references customers (store_id, customer_id),
  check (ended_at is not null or (lifted_by is null and lifted_by_service is null))
);

create unique index customer_holds_customer on customer_holds (store_id, customer_id, placed_sequence);

alter table customer_holds enable row level security;
create policy one_store on customer_holds to customer_api
  using (store_id = (select current_store())) with check (store_id = (select current_store()));
grant select, insert, update (ended_at, lifted_by, lifted_by_service) on customer_holds to customer_api;

-- Number of holds in effect. It is part of the customer's row, so that every statement that locks the row reads it.
alter table customers add column holds integer not null default 0 check (holds >= 0);
