-- Who has left under an email, when somebody registers with it.
create index erased_subjects_email on erased_subjects (store_id, email_hash);
