-- Ground of the last hold on the request, from the list of customer_holds. Null: a version that did not store it has put the
-- request on hold, or there was no hold.
alter table gdpr_requests add column hold_ground text
  check (hold_ground in ('LEGAL_CLAIM', 'LEGAL_OBLIGATION', 'AUTHORITY_ORDER', 'PUBLIC_INTEREST'));
