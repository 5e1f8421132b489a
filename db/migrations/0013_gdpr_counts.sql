-- How many requests a store has of a kind, and which: a few values many times over, so it stays small.
create index gdpr_requests_kind on gdpr_requests (store_id, type, status, outcome);

-- Open requests by urgency, and the completed ones behind them.
create index gdpr_requests_due on gdpr_requests (store_id, (status = 'COMPLETED'), due_at, request_id);

-- The few that staff hold back.
create index gdpr_requests_held on gdpr_requests (store_id)
  where (snapshot -> 'value' ->> 'PENDING') is not distinct from 'held';

-- The few that got stuck: a service that does not answer, what was given up, and what a re-scan has found.
create index gdpr_participants_stuck on gdpr_participants (store_id, request_id)
  where state in ('RETRYING', 'OVERDUE');
create index effects_poisoned on effects (store_id, actor_kind, actor_id) where state = 'POISONED';
create index gdpr_requests_residue on gdpr_requests (store_id, request_id)
  where status = 'IN_PROGRESS' and (snapshot -> 'value' ->> 'IN_PROGRESS') = 'residue_found';
