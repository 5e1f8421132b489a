-- Adds two conditions to the search of customers: phone (in E.164) and customerId. The rest of the function stays as
-- the migrations before this one define it.
do $$
declare
  before text := pg_get_functiondef('search_customers(jsonb, uuid, integer)'::regprocedure);
  place text := E'  if filter ? ''anonymized'' then\n';
  after text := replace(before, place,
    E'  if filter ? ''phone'' then\n' ||
    E'    conditions := conditions || '' and c.anonymized_at is null and c.phone = $2 ->> ''''phone'''''';\n' ||
    E'  end if;\n' ||
    E'  if filter ? ''customerId'' then\n' ||
    E'    conditions := conditions || '' and c.customer_id = ($2 ->> ''''customerId'''')::uuid'';\n' ||
    E'  end if;\n' ||
    place);
begin
  if regexp_count(after, 'c\.phone = |c\.customer_id = \(') <> 2 then
    raise exception 'search_customers has no condition on anonymized in the expected form';
  end if;
  execute after;
end
$$;
