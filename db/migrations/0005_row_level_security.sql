-- customer_api: one store a transaction, the one that `app.store_id` names.
do $$
declare
  name text;
begin
  foreach name in array array[
    'customers', 'customer_addresses', 'shopper_groups', 'customer_group_memberships',
    'actor_events', 'timers', 'effects', 'outbox', 'idempotency_keys'
  ] loop
    execute format('alter table %I enable row level security', name);
    execute format(
      'create policy one_store on %I to customer_api
         using (store_id = (select current_store())) with check (store_id = (select current_store()))', name);
  end loop;
end
$$;

grant select, insert, update on customers, shopper_groups to customer_api;
grant select, insert, update, delete on customer_addresses to customer_api;
grant select, insert, delete on customer_group_memberships to customer_api;
grant select, insert on actor_events, outbox to customer_api;
grant select, insert, update, delete on timers, idempotency_keys to customer_api;
grant select, insert on effects to customer_api;

-- customer_worker: what is due, in every store. No personal value stands in these tables.
create policy all_stores on timers to customer_worker using (true);
create policy all_stores on effects to customer_worker using (true);
create policy all_stores on outbox to customer_worker using (true);
create policy all_stores on idempotency_keys to customer_worker using (true);

grant select, delete on timers, effects, outbox to customer_worker;
grant update (due_at, attempts, last_error) on timers to customer_worker;
grant update (state, due_at, attempts, last_error, finished_at) on effects to customer_worker;
grant update (published_at) on outbox to customer_worker;
grant select (expires_at), delete on idempotency_keys to customer_worker;
