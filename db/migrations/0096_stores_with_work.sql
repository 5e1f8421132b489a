-- Stores with work that is due: timers, effects, or events in the outbox. In a distributed database each shard is asked for
-- itself, and those on nodes that cannot be reached are left out.
create function find_stores_with_work(work text) returns setof uuid
language plpgsql stable security invoker
as $$
declare
  query constant text := format(
    'select distinct store_id from %%s where %s',
    case work
      when 'timers' then 'due_at <= clock_timestamp()'
      when 'effects' then 'state = ''PENDING'' and due_at <= clock_timestamp()'
      when 'outbox' then 'published_at is null'
    end);
begin
  if not is_distributed() then
    return query execute format(query, work);
    return;
  end if;
  return query execute
    'select id::uuid from run_command_on_shards($1, $2) as shards, string_to_table(shards.result, '' '') as id
     where shards.success and shards.result <> '''''
  using work::regclass, format('select string_agg(store_id::text, '' '') from (%s) stores', query);
end
$$;

revoke all on function find_stores_with_work(text) from public;
grant execute on function find_stores_with_work(text) to customer_worker;
