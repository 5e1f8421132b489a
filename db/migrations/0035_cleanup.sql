-- The time of the newest erasure whose dead rows are gone from the tables that it has changed. The service asks for
-- VACUUM until then: an older snapshot, such as that of a dump, keeps dead rows from being removed.
create table erasure_cleanup (
  only_row boolean primary key default true check (only_row),
  clean_until timestamptz not null
);
grant select, insert, update on erasure_cleanup to customer_worker;

-- The time of the newest erasure of any store.
create function lookup_newest_erasure() returns timestamptz
language sql stable security definer set search_path = public, pg_temp
as 'select max(erased_at) from erased_subjects';

revoke all on function lookup_newest_erasure() from public;
grant execute on function lookup_newest_erasure() to customer_worker;

-- PostgreSQL 16 allows only the owner to vacuum.
do $$
begin
  if current_setting('server_version_num')::int >= 170000 then
    execute 'grant maintain on customer_group_memberships, gdpr_requests, gdpr_participants, gdpr_export_parts, '
      'gdpr_exports, actor_events to customer_worker';
  end if;
end
$$;
