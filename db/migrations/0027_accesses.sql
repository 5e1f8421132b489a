-- The service of a SYSTEM principal, such as the participant that confirmed an erasure; null: this service itself, a
-- person, or an earlier version that did not store it.
alter table actor_events add column principal_service text;
