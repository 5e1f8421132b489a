-- How the identity of the person was checked, by whom, and with which reference (never a copy of a document).
-- Null: it has not been checked yet, and the request must not delay another one.
alter table gdpr_requests add column identified_at timestamptz;
update gdpr_requests set identified_at = created_at;
alter table gdpr_requests add column identified_by uuid;
alter table gdpr_requests add column identity_method text check (identity_method in
  ('SIGNED_IN', 'EMAIL_REPLY', 'PHONE_CALLBACK', 'QUESTIONS', 'ID_DOCUMENT', 'ELECTRONIC_ID', 'IN_PERSON'));
alter table gdpr_requests add column identity_reference text check (length(identity_reference) <= 200);
alter table gdpr_requests add column identity_failures integer not null default 0 check (identity_failures >= 0);
-- When information was requested that has not been received: the time limit is paused since then (Article 12(6) GDPR).
alter table gdpr_requests add column information_requested_at timestamptz;
alter table gdpr_requests add column information_reason text check (length(information_reason) <= 500);

-- The person who makes the request on behalf of the customer, and on which ground; null without one.
alter table gdpr_requests add column representative_ground text check (representative_ground in
  ('AUTHORIZATION', 'PARENTAL_RESPONSIBILITY', 'GUARDIANSHIP', 'INHERITANCE'));
alter table gdpr_requests add column representative_name text check (length(representative_name) <= 200);
alter table gdpr_requests add column representative_reference text check (length(representative_reference) <= 200);

-- A request without a checked identity does not keep the customer from another one of its type.
drop index gdpr_requests_one_open;
create unique index gdpr_requests_one_open on gdpr_requests (store_id, customer_id, type)
  where status <> 'COMPLETED' and identified_at is not null;
create unique index gdpr_requests_one_unidentified on gdpr_requests (store_id, customer_id, type)
  where status <> 'COMPLETED' and identified_at is null;

-- NOT_IDENTIFIED: the identity could not be checked, or the information for it was not received in time.
alter table gdpr_requests drop constraint gdpr_requests_outcome_check;
alter table gdpr_requests add constraint gdpr_requests_outcome_check check (outcome in
  ('FULFILLED', 'FULFILLED_WITH_WAIVERS', 'NOT_FETCHED', 'CANCELLED', 'REFUSED', 'NOT_IDENTIFIED'));

-- As in 0029: the time limit of a request that waits for information is paused.
create or replace function count_gdpr_requests()
returns table (
  type text, status text, outcome text, requests bigint, held bigint, residue bigint, at_risk bigint, overdue bigint,
  proposed bigint, waiting_for_download bigint
)
language sql stable security definer set search_path = public, pg_temp
as $$
  select all_requests.type, all_requests.status, all_requests.outcome, all_requests.requests,
    coalesce(open.held, 0), coalesce(open.residue, 0), coalesce(open.at_risk, 0), coalesce(open.overdue, 0),
    coalesce(open.proposed, 0), coalesce(open.waiting_for_download, 0)
  from (
    select type, status, outcome, count(*) as requests from gdpr_requests group by type, status, outcome
  ) all_requests
  left join (
    select type, status,
      count(*) filter (where snapshot #>> '{value,PENDING}' = 'held') as held,
      count(*) filter (where snapshot #>> '{value,IN_PROGRESS}' = 'residue_found') as residue,
      count(*) filter (where snapshot #>> '{context,clock}' = 'AT_RISK' and due_at > now()
        and information_requested_at is null) as at_risk,
      count(*) filter (where due_at <= now() and information_requested_at is null) as overdue,
      count(*) filter (where snapshot #> '{context,proposals}' <> '{}'::jsonb) as proposed,
      count(*) filter (where fetch_wait_ends_at is not null) as waiting_for_download
    from gdpr_requests where status <> 'COMPLETED' group by type, status
  ) open on open.type = all_requests.type and open.status = all_requests.status
$$;
