-- Events on their way to the rest of the platform, written in the transaction that caused them. The relay
-- publishes each shard in the order of seq: a customer's rows share a key, hence a shard, and are written
-- under the customer's row lock, hence in order.
create table outbox (
  store_id uuid not null,
  event_id uuid not null,
  seq bigint generated always as identity,
  shard smallint not null generated always as (hashtext(key) & 15) stored,
  topic text not null,
  key text not null,
  payload jsonb not null,
  headers jsonb not null,
  created_at timestamptz not null,
  published_at timestamptz,
  primary key (store_id, event_id)
);

create index outbox_unpublished on outbox (shard, seq) where published_at is null;
create index outbox_published on outbox (published_at) where published_at is not null;
create index outbox_key on outbox (store_id, key);
