-- Since when the account is closed; null while it is not, and kept by an erasure.
alter table customers add column closed_at timestamptz;
update customers set closed_at = updated_at where status = 'CLOSED' and anonymized_at is null;
-- When the erasure at the end of the retention period was opened; null before, and again after a reinstatement.
alter table customers add column retention_announced_at timestamptz;

-- Closed accounts whose erasure at the end of the retention period is not open yet, the earliest first.
create index customers_closed on customers (store_id, closed_at, customer_id)
  where closed_at is not null and anonymized_at is null and retention_announced_at is null and holds = 0;

-- When the next batch of the retention sweep is due. A replica that claims a batch moves it, so that one replica sweeps
-- at a time.
create table retention_sweep (
  only_row boolean primary key default true check (only_row),
  next_at timestamptz not null
);
grant select, insert, update on retention_sweep to customer_worker;

-- Stores that erase closed accounts, with the number of days after which they do.
create function lookup_retention_stores() returns table (store_id uuid, days integer)
language sql stable security definer set search_path = public, pg_temp
as 'select s.store_id, s.closed_account_retention_days from store_settings s
  where s.closed_account_retention_days is not null order by s.store_id';

revoke all on function lookup_retention_stores() from public;
grant execute on function lookup_retention_stores() to customer_worker;
