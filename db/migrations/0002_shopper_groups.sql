-- A group of shoppers that share a price list, which lives in catalog-service. A deleted group keeps its
-- row: it stays in the history, its name is free again, and it decides no price any more.
create table shopper_groups (
  store_id uuid not null,
  group_id uuid not null,
  name text not null check (length(name) between 1 and 100),
  price_list_id uuid not null,
  priority integer not null,
  version integer not null check (version > 0),
  created_at timestamptz not null,
  updated_at timestamptz not null,
  deleted_at timestamptz,
  primary key (store_id, group_id)
);

create unique index shopper_groups_name on shopper_groups (store_id, name) where deleted_at is null;

-- That a customer is in a group. Ending a membership deletes the row; the journal remembers it.
create table customer_group_memberships (
  store_id uuid not null,
  customer_id uuid not null,
  group_id uuid not null,
  assigned_at timestamptz not null,
  assigned_by uuid not null,
  primary key (store_id, customer_id, group_id),
  foreign key (store_id, customer_id) references customers (store_id, customer_id),
  foreign key (store_id, group_id) references shopper_groups (store_id, group_id)
);

create index customer_group_memberships_group on customer_group_memberships (store_id, group_id);
