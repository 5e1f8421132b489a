-- Legal ground of a refusal, from a closed list; null for refusals of earlier versions and for all other requests.
alter table gdpr_requests add column refusal_ground text check (refusal_ground in (
  'MANIFESTLY_UNFOUNDED', 'EXCESSIVE', 'IDENTITY_NOT_PROVEN', 'RIGHTS_OF_OTHERS', 'LEGAL_OBLIGATION', 'LEGAL_CLAIMS',
  'FREEDOM_OF_EXPRESSION', 'PUBLIC_INTEREST', 'NO_RIGHT'
));
