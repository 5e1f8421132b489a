-- The journal: one row for each event that an actor has accepted. The sequence is the actor's version after
-- it. States and names of fields only, never a personal value.
create table actor_events (
  store_id uuid not null,
  actor_kind text not null,
  actor_id uuid not null,
  sequence integer not null check (sequence > 0),
  event_type text not null,
  state_before text,
  state_after text not null,
  principal_id uuid not null,
  principal_type text not null check (principal_type in ('CUSTOMER', 'STAFF', 'SYSTEM')),
  changed_fields text[] not null default '{}',
  at timestamptz not null,
  primary key (store_id, actor_kind, actor_id, sequence)
);

-- A delayed transition of a machine that waits for its time; its name is the machine's own for the delay.
create table timers (
  store_id uuid not null,
  actor_kind text not null,
  actor_id uuid not null,
  name text not null,
  event jsonb not null,
  due_at timestamptz not null,
  attempts integer not null default 0,
  last_error text,
  created_at timestamptz not null,
  primary key (store_id, actor_kind, actor_id, name)
);

create index timers_due on timers (due_at);

-- Something that an actor wants performed after its transaction, at least once. The id is stable, so that
-- whoever is asked twice can tell. POISONED: given up after too many attempts, until somebody looks at it.
create table effects (
  store_id uuid not null,
  effect_id uuid not null,
  actor_kind text not null,
  actor_id uuid not null,
  type text not null,
  params jsonb not null,
  state text not null default 'PENDING' check (state in ('PENDING', 'DONE', 'POISONED')),
  attempts integer not null default 0,
  due_at timestamptz not null,
  last_error text,
  trace_id text not null,
  created_at timestamptz not null,
  finished_at timestamptz,
  primary key (store_id, effect_id)
);

create index effects_due on effects (due_at) where state = 'PENDING';
create index effects_done on effects (finished_at) where state = 'DONE';
create index effects_actor on effects (store_id, actor_kind, actor_id);

-- The answer that a command got under a caller's key, kept until it expires. Ids and versions, never a
-- personal value: the key stands as its SHA-256, the request as an HMAC under the key.
create table idempotency_keys (
  store_id uuid not null,
  principal_id uuid not null,
  key text not null check (key ~ '^[0-9a-f]{64}$'),
  request_hash bytea not null,
  answer jsonb,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  primary key (store_id, principal_id, key)
);

create index idempotency_keys_expiry on idempotency_keys (expires_at);
