-- The re-scan of an erasure reads the rows about one customer in slices, each in the order of its key.
create index outbox_key_event on outbox (store_id, key, event_id);
drop index outbox_key;
create index effects_actor_effect on effects (store_id, actor_kind, actor_id, effect_id);
drop index effects_actor;
