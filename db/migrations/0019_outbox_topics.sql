-- The relay reads each topic from its own place, so that the rows of a topic that the broker refuses delay no other.
create index outbox_waiting on outbox (shard, topic, seq) where published_at is null;
drop index outbox_unpublished;
