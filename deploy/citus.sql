-- Distributes the tables by store, so that each store's rows stand together on one node. As customer_owner on the
-- coordinator, once, on a database that is migrated and has the extension:
--
--     deno task migrate && psql -v ON_ERROR_STOP=1 -f deploy/citus.sql "$DATABASE_URL"
--
-- Nothing in the schema is in the way: every primary key, unique index and foreign key has store_id. Two things around
-- it are; docs/deployment.md tells of them, and that this has not been run on Citus yet.
begin;

select create_distributed_table('customers', 'store_id');
select create_distributed_table('shopper_groups', 'store_id', colocate_with => 'customers');
select create_distributed_table('customer_addresses', 'store_id', colocate_with => 'customers');
select create_distributed_table('customer_group_memberships', 'store_id', colocate_with => 'customers');
select create_distributed_table('actor_events', 'store_id', colocate_with => 'customers');
select create_distributed_table('idempotency_keys', 'store_id', colocate_with => 'customers');
select create_distributed_table('ended_sessions', 'store_id', colocate_with => 'customers');
select create_distributed_table('rate_limits', 'store_id', colocate_with => 'customers');
select create_distributed_table('gdpr_requests', 'store_id', colocate_with => 'customers');
select create_distributed_table('gdpr_participants', 'store_id', colocate_with => 'customers');
select create_distributed_table('gdpr_export_parts', 'store_id', colocate_with => 'customers');
select create_distributed_table('gdpr_exports', 'store_id', colocate_with => 'customers');
select create_distributed_table('erased_subjects', 'store_id', colocate_with => 'customers');
select create_distributed_table('erasure_receipts', 'store_id', colocate_with => 'customers');

-- Claimed over all stores with `for update skip locked`, which Citus takes for rows of one store only: these stay on
-- the coordinator, and a command's transaction commits in two phases. They are short-lived rows without personal data.
select citus_add_local_table_to_metadata('timers');
select citus_add_local_table_to_metadata('effects');
select citus_add_local_table_to_metadata('outbox');

commit;
