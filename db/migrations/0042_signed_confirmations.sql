-- Ed25519 signature of a participant's confirmation, and the participant's public key that has verified it. Both are
-- null unless the participant has signed.
alter table gdpr_participants add column signature bytea check (octet_length(signature) = 64);
alter table gdpr_participants add column signature_key bytea check (octet_length(signature_key) = 32);
alter table gdpr_participants add constraint gdpr_participants_signature_has_key
  check ((signature is null) = (signature_key is null));
