-- The participant that an event was about; null: the event was about the actor as a whole, or a version that did not
-- store it wrote the row.
alter table actor_events add column about text;

-- The transitions that the machine took, in their order, such as `PENDING.grace -> IN_PROGRESS`: the paths of source
-- and targets; a source alone for a transition without a target. Null: a version that did not store them wrote the row.
alter table actor_events add column transitions text[];
