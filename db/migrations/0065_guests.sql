-- A guest: a person without an account who has made a GDPR request. `customer_id` identifies the person as it identifies a
-- customer elsewhere, and belongs to no customer. The contact data are sealed (AES-GCM with the key of key_id) and are
-- destroyed by the person's erasure, or once no request and no notice needs them.
create table guests (
  store_id uuid not null,
  customer_id uuid not null,
  sealed_contact bytea,
  key_id text,
  created_at timestamptz not null,
  -- When an erasure has destroyed the contact data.
  anonymized_at timestamptz,
  primary key (store_id, customer_id),
  constraint guests_sealed check ((sealed_contact is null) = (key_id is null)),
  constraint guests_erased check (anonymized_at is null or sealed_contact is null)
);

create index guests_with_contact on guests (store_id, created_at) where sealed_contact is not null;

alter table guests enable row level security;
create policy one_store on guests to customer_api
  using (store_id = (select current_store())) with check (store_id = (select current_store()));
grant select, insert, update on guests to customer_api;

-- The subject of a request is a customer or a guest.
alter table gdpr_requests add column is_guest boolean not null default false;
alter table gdpr_requests add column account_id uuid generated always as (case when not is_guest then customer_id end) stored;
alter table gdpr_requests add column guest_id uuid generated always as (case when is_guest then customer_id end) stored;
alter table gdpr_requests drop constraint gdpr_requests_store_id_customer_id_fkey;
alter table gdpr_requests add foreign key (store_id, account_id) references customers (store_id, customer_id);
alter table gdpr_requests add foreign key (store_id, guest_id) references guests (store_id, customer_id);

-- Destroys the contact data of guests whom no request and no notice needs, and the hashes of those who were not erased.
create function destroy_unneeded_contacts() returns integer
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  destroyed integer;
begin
  with unneeded as (
    select g.store_id, g.customer_id from guests g
    where g.sealed_contact is not null
      and not exists (
        select from gdpr_requests r
        where r.store_id = g.store_id and r.customer_id = g.customer_id and r.status <> 'COMPLETED')
      and not exists (
        select from gdpr_notices n
        where n.store_id = g.store_id and n.customer_id = g.customer_id and n.delivery in ('WAITING', 'DUE'))
    order by g.store_id, g.created_at limit 1000
    for update of g skip locked
  ), forgotten as (
    delete from email_hashes h using unneeded u
    where h.store_id = u.store_id and h.customer_id = u.customer_id
      and not exists (
        select from erased_subjects s where s.store_id = h.store_id and s.customer_id = h.customer_id)
  )
  update guests g set sealed_contact = null, key_id = null from unneeded u
  where g.store_id = u.store_id and g.customer_id = u.customer_id;
  get diagnostics destroyed = row_count;
  return destroyed;
end
$$;

revoke all on function destroy_unneeded_contacts() from public;
grant execute on function destroy_unneeded_contacts() to customer_worker;

-- PostgreSQL 17 and later: the worker vacuums the rows of erased guests and settled notices.
do $$
begin
  if current_setting('server_version_num')::int >= 170000 then
    execute 'grant maintain on guests, gdpr_notices to customer_worker';
  end if;
end
$$;
