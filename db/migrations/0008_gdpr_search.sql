-- The requests of a store, newest first, whatever their type and status.
create index gdpr_requests_newest on gdpr_requests (store_id, created_at desc, request_id desc);

-- Which participants keep open requests waiting.
create index gdpr_participants_unsettled on gdpr_participants (store_id, service, request_id)
  where state in ('ASKED', 'RETRYING', 'OVERDUE');
