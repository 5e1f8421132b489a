-- The few timers and effects that have failed several times in a row. A claim counts as an attempt, so work whose
-- process ends each time is among them.
create index timers_failing on timers (store_id, actor_kind, actor_id) where attempts >= 3;
create index effects_failing on effects (store_id, actor_kind, actor_id) where state = 'PENDING' and attempts >= 3;
