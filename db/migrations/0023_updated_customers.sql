-- Finds the customers that have changed in a time, for copies in other systems.
create index customers_updated on customers (store_id, updated_at);

-- Only two conditions are added to the search: updatedFrom and updatedTo (milliseconds since the epoch; from this one
-- on, before that one). The rest of it stays as the migrations before this one define it.
do $$
declare
  before text := pg_get_functiondef('search_customers(jsonb, uuid, integer)'::regprocedure);
  place text := E'  if filter ? ''anonymized'' then\n';
  after text := replace(before, place,
    E'  if filter ? ''updatedFrom'' then\n' ||
    E'    conditions := conditions || '' and c.updated_at >= to_timestamp(($2 ->> ''''updatedFrom'''')::float8 / 1000)'';\n' ||
    E'  end if;\n' ||
    E'  if filter ? ''updatedTo'' then\n' ||
    E'    conditions := conditions || '' and c.updated_at < to_timestamp(($2 ->> ''''updatedTo'''')::float8 / 1000)'';\n' ||
    E'  end if;\n' ||
    place);
begin
  if regexp_count(after, 'c\.updated_at (>=|<) ') <> 2 then
    raise exception 'search_customers has no condition on anonymized in the expected form';
  end if;
  execute after;
end
$$;
