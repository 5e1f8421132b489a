-- When the request reached the store, and how. The time limit counts from its receipt, which may be days before
-- it is entered.
alter table gdpr_requests add column received_at timestamptz;
update gdpr_requests set received_at = created_at;
alter table gdpr_requests alter column received_at set not null;
alter table gdpr_requests add column channel text not null default 'OTHER'
  check (channel in ('ACCOUNT', 'EMAIL', 'LETTER', 'PHONE', 'IN_PERSON', 'FORM', 'OTHER'));
alter table gdpr_requests alter column channel drop default;
