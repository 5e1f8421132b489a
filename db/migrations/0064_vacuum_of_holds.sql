-- PostgreSQL 17 and later: the worker vacuums the holds of erased customers. Earlier versions leave that to autovacuum.
do $$
begin
  if current_setting('server_version_num')::int >= 170000 then
    execute 'grant maintain on customer_holds to customer_worker';
  end if;
end
$$;
