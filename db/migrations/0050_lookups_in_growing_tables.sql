-- Many emails are looked up with a plan for the present size of the table, as choose_plans says: an import looks up each
-- of its rows, and into an empty database it would read more of the table for each row than for the row before.
create or replace function lookup_customer_ids(store_ids uuid[], emails text[])
returns table ("position" integer, customer_id uuid)
language plpgsql stable security definer
set search_path = public, pg_temp set enable_seqscan = off
as $$
#variable_conflict use_column
begin
  perform choose_plans(cardinality(emails));
  return query
  select asked.position::integer, found.customer_id
  from unnest(store_ids, emails) with ordinality as asked (store_id, email, position)
  cross join lateral (
    select c.customer_id from customers c
    where c.store_id = asked.store_id and lower(c.email) = lower(asked.email) and c.anonymized_at is null
    limit 1
  ) found;
end
$$;
