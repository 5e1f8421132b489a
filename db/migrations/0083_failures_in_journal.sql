-- The code of a failed call to a participant, such as UNREACHABLE, in the row of its event. Null for other events.
alter table actor_events add column failure text;

-- store_commits stores the new column; the rest of it stays as the migrations before this one define it.
do $$
declare
  before text := pg_get_functiondef('store_commits(uuid, jsonb)'::regprocedure);
  after text := before;
  change text[];
begin
  foreach change slice 1 in array array[
    ['at, about, transitions)', 'at, about, transitions, failure)'],
    ['r.about, r.transitions' || chr(10), 'r.about, r.transitions, r.failure' || chr(10)],
    ['about text, transitions text[])', 'about text, transitions text[], failure text)']
  ] loop
    if strpos(after, change[1]) = 0 then
      raise exception 'store_commits does not contain % in the expected form', change[1];
    end if;
    after := replace(after, change[1], change[2]);
  end loop;
  execute after;
end
$$;
