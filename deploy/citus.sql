-- Distributes the tables by store, so that all rows of a store are on one node. Run it once, as customer_owner on the
-- coordinator, on a migrated database that has the extension:
--
--     deno task migrate && psql -v ON_ERROR_STOP=1 -f deploy/citus.sql "$DATABASE_URL"
--
-- The schema supports it: every primary key, unique index and foreign key includes store_id. docs/deployment.md describes
-- two other obstacles. This script has not been run on Citus yet.
begin;

select create_distributed_table('customers', 'store_id');
select create_distributed_table('shopper_groups', 'store_id', colocate_with => 'customers');
select create_distributed_table('customer_holds', 'store_id', colocate_with => 'customers');
select create_distributed_table('customer_addresses', 'store_id', colocate_with => 'customers');
select create_distributed_table('customer_group_memberships', 'store_id', colocate_with => 'customers');
select create_distributed_table('actor_events', 'store_id', colocate_with => 'customers');
select create_distributed_table('idempotency_keys', 'store_id', colocate_with => 'customers');
select create_distributed_table('ended_sessions', 'store_id', colocate_with => 'customers');
select create_distributed_table('rate_limits', 'store_id', colocate_with => 'customers');
select create_distributed_table('store_settings', 'store_id', colocate_with => 'customers');
select create_distributed_table('guests', 'store_id', colocate_with => 'customers');
select create_distributed_table('gdpr_requests', 'store_id', colocate_with => 'customers');
select create_distributed_table('gdpr_participants', 'store_id', colocate_with => 'customers');
select create_distributed_table('gdpr_notices', 'store_id', colocate_with => 'customers');
select create_distributed_table('gdpr_export_parts', 'store_id', colocate_with => 'customers');
select create_distributed_table('gdpr_exports', 'store_id', colocate_with => 'customers');
select create_distributed_table('erased_subjects', 'store_id', colocate_with => 'customers');
select create_distributed_table('email_hashes', 'store_id', colocate_with => 'customers');
select create_distributed_table('erasure_receipts', 'store_id', colocate_with => 'customers');

-- Claimed across all stores with `for update skip locked`, which Citus supports for rows of one store only. So these
-- tables stay on the coordinator, and a command's transaction commits in two phases. Their rows are short-lived and
-- contain no personal data.
select citus_add_local_table_to_metadata('timers');
select citus_add_local_table_to_metadata('effects');
select citus_add_local_table_to_metadata('outbox');

-- About the database as a whole: they contain no data of a store.
select citus_add_local_table_to_metadata('erasure_cleanup');
select citus_add_local_table_to_metadata('erasure_log_positions');
select citus_add_local_table_to_metadata('erasure_marker');
select citus_add_local_table_to_metadata('erasure_memory_decisions');
select citus_add_local_table_to_metadata('retention_sweep');

commit;
