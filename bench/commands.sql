-- One profile update as a transaction of single statements, for pgbench: the changes that the function store_commits makes.
\set n random(1, :customers)
\set name random(1, 1000000000)
begin;
select enter_store('00000000-0000-4000-8000-000000000000');
select email, first_name, last_name, phone, locale, status, version, anonymized_at
  from customers where store_id = '00000000-0000-4000-8000-000000000000'
    and customer_id = ('00000000-0000-4000-8000-' || lpad(to_hex(:n::int), 12, '0'))::uuid for update;
select
  (select count(*)::int from customer_addresses where store_id = '00000000-0000-4000-8000-000000000000'
    and customer_id = ('00000000-0000-4000-8000-' || lpad(to_hex(:n::int), 12, '0'))::uuid) as addresses,
  (select count(*)::int from customer_group_memberships where store_id = '00000000-0000-4000-8000-000000000000'
    and customer_id = ('00000000-0000-4000-8000-' || lpad(to_hex(:n::int), 12, '0'))::uuid) as groups;
update customers set first_name = :name::text, status = 'ACTIVE', version = version + 1, updated_at = now()
  where store_id = '00000000-0000-4000-8000-000000000000'
    and customer_id = ('00000000-0000-4000-8000-' || lpad(to_hex(:n::int), 12, '0'))::uuid returning version \gset
insert into actor_events (store_id, actor_kind, actor_id, sequence, event_type, state_before, state_after,
  principal_id, principal_type, changed_fields, at)
  values ('00000000-0000-4000-8000-000000000000', 'customer',
    ('00000000-0000-4000-8000-' || lpad(to_hex(:n::int), 12, '0'))::uuid, :version::int, 'profile.update', 'active', 'active',
    '00000000-0000-4000-8000-000000000000', 'SYSTEM', '{first_name}', now());
insert into outbox (store_id, event_id, topic, key, payload, headers, created_at)
  values
  ('00000000-0000-4000-8000-000000000000', gen_random_uuid(), 'customer.updated',
    '00000000-0000-4000-8000-' || lpad(to_hex(:n::int), 12, '0'),
    '{"eventId":"01a2077f-6077-76f2-9de0-63ae8119a542","storeId":"00000000-0000-4000-8000-000000000000","customerId":"00000000-0000-4000-8000-000000000001","occurredAt":"2026-11-23T08:21:58.128Z","traceId":"4bf92f3577b34da6a3ce929d0e0e4736","changedFields":["first_name"]}',
    '{"ce_id":"01a2077f-6077-76f2-9de0-63ae8119a542","ce_time":"2026-11-23T08:21:58.128Z","ce_type":"customer.updated","ce_source":"/customer-service","ce_subject":"00000000-0000-4000-8000-000000000001","ce_specversion":"1.0"}',
    now()),
  ('00000000-0000-4000-8000-000000000000', gen_random_uuid(), 'audit.event',
    '00000000-0000-4000-8000-' || lpad(to_hex(:n::int), 12, '0'),
    '{"eventId":"01a2077f-6077-76f2-9de0-64d7869a9275","storeId":"00000000-0000-4000-8000-000000000000","customerId":"00000000-0000-4000-8000-000000000001","occurredAt":"2026-11-23T08:21:58.128Z","traceId":"4bf92f3577b34da6a3ce929d0e0e4736","action":"CUSTOMER_UPDATED","actor":{"id":"00000000-0000-4000-8000-000000000000","type":"SYSTEM"},"target":{"type":"customer","id":"00000000-0000-4000-8000-000000000001"},"before":{"state":"active","version":1},"after":{"state":"active","version":2},"changedFields":["first_name"]}',
    '{"ce_id":"01a2077f-6077-76f2-9de0-64d7869a9275","ce_time":"2026-11-23T08:21:58.128Z","ce_type":"audit.event","ce_source":"/customer-service","ce_subject":"00000000-0000-4000-8000-000000000001","ce_specversion":"1.0"}',
    now());
commit;
