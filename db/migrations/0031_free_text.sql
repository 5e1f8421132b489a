-- Whether the principal gave a reason. It stays when the erasure of the customer removes the reason itself.
alter table actor_events add column reason_given boolean not null default false;
update actor_events set reason_given = true where reason is not null;
