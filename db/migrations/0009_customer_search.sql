-- The customers of a store, newest first: all of them, those of a status, those that are anonymised.
create index customers_newest on customers (store_id, created_at desc, customer_id desc);
create index customers_anonymized on customers (store_id, created_at desc, customer_id desc)
  where anonymized_at is not null;
drop index customers_status;
create index customers_status on customers (store_id, status, created_at desc, customer_id desc);

-- How an email, a last name or a first name begins, whatever the database's collation.
create index customers_email_prefix on customers (store_id, lower(email) text_pattern_ops)
  where anonymized_at is null;
create index customers_last_name_prefix on customers (store_id, lower(last_name) text_pattern_ops)
  where anonymized_at is null;
create index customers_first_name_prefix on customers (store_id, lower(first_name) text_pattern_ops)
  where anonymized_at is null;

-- How often a beginning is to be found: PostgreSQL takes no notice of what it knows of partial indexes.
create statistics customers_emails on (lower(email)) from customers;
create statistics customers_last_names on (lower(last_name)) from customers;
create statistics customers_first_names on (lower(first_name)) from customers;
alter statistics customers_emails set statistics 500;
alter statistics customers_last_names set statistics 500;
alter statistics customers_first_names set statistics 500;

-- The members of a group, in the order in which they are listed.
drop index customer_group_memberships_group;
create index customer_group_memberships_group on customer_group_memberships (store_id, group_id, customer_id);

-- Searches the customers of the store that the transaction has entered, and of no other. Row-level security itself
-- would keep these conditions away from their indexes: it lets no function that might tell of what it sees, such as
-- lower(), look at a row before the policy has. So the function does without it and names the store in its place.
--
-- The filter, all of it optional: email, status, groupId, emailPattern (of LIKE), names (a list of pairs, one of
-- which has to fit: patterns of the first and the last name, null for any), createdFrom and createdTo (milliseconds
-- since the epoch; from this one on, until before that one), anonymized. Newest first, but the members of a group by
-- customer_id, the greatest first; what follows the customer `behind`, at most so many.
--
-- One index gives the order, others tell how emails and names begin, and none does both. Whether a beginning is rare
-- or common, old or new, PostgreSQL can only guess. So first it looks through the next 20,000 customers, which finds
-- enough of what is common; what is missing then is rare, and is gathered from all of them and put into order. Pages
-- are reckoned to come from memory or flash, not from a turning disk.
create function search_customers(filter jsonb, behind uuid, at_most integer)
returns table (
  customer_id uuid,
  email text,
  first_name text,
  last_name text,
  phone text,
  locale text,
  status text,
  version integer,
  created_at timestamptz,
  updated_at timestamptz,
  anonymized_at timestamptz
)
language plpgsql stable security definer
set search_path = public, pg_temp set jit = off set max_parallel_workers_per_gather = 0 set random_page_cost = 1.1
as $$
#variable_conflict use_column
declare
  nearby constant integer := 20000;
  store uuid := current_store();
  in_group boolean := filter ? 'groupId';
  columns constant text := 'c.customer_id, c.email, c.first_name, c.last_name, c.phone, c.locale, c.status,
    c.version, c.created_at, c.updated_at, c.anonymized_at';
  source text := 'customers c';
  following text := ' and (c.created_at, c.customer_id) < ($4, $3)';
  in_order text := 'c.created_at desc, c.customer_id desc';
  conditions text := '';
  beginnings text := '';
  names text[] := '{}';
  behind_at timestamptz := (select c.created_at from customers c where c.store_id = store and c.customer_id = behind);
  found integer := 0;
begin
  if in_group then
    source := 'customer_group_memberships m
      join customers c on c.store_id = m.store_id and c.customer_id = m.customer_id
        and m.store_id = $1 and m.group_id = ($2 ->> ''groupId'')::uuid';
    following := ' and m.customer_id < $3';
    in_order := 'm.customer_id desc';
  end if;

  if filter ? 'email' then
    conditions := conditions || ' and c.anonymized_at is null and lower(c.email) = lower($2 ->> ''email'')';
  end if;
  if filter ? 'status' then
    conditions := conditions || ' and c.status = $2 ->> ''status''';
  end if;
  if filter ? 'createdFrom' then
    conditions := conditions || ' and c.created_at >= to_timestamp(($2 ->> ''createdFrom'')::float8 / 1000)';
  end if;
  if filter ? 'createdTo' then
    conditions := conditions || ' and c.created_at < to_timestamp(($2 ->> ''createdTo'')::float8 / 1000)';
  end if;
  if filter ? 'anonymized' then
    conditions := conditions || case when (filter ->> 'anonymized')::boolean
      then ' and c.anonymized_at is not null' else ' and c.anonymized_at is null' end;
  end if;

  if filter ? 'emailPattern' then
    beginnings := ' and c.anonymized_at is null and lower(c.email) like lower($2 ->> ''emailPattern'')';
  end if;
  for at in 0 .. coalesce(jsonb_array_length(filter -> 'names'), 0) - 1 loop
    names := names || concat_ws(' and ',
      case when filter #>> array['names', at::text, '0'] is not null
        then format('lower(c.first_name) like lower($2 #>> ''{names,%s,0}'')', at) end,
      case when filter #>> array['names', at::text, '1'] is not null
        then format('lower(c.last_name) like lower($2 #>> ''{names,%s,1}'')', at) end);
  end loop;
  if names <> '{}' then
    beginnings := beginnings
      || format(' and c.anonymized_at is null and (%s)', array_to_string(names, ' or '));
  end if;

  if behind is null then following := ''; end if;
  if beginnings = '' then
    return query execute format('select %s from %s where c.store_id = $1 %s order by %s limit $5',
      columns, source, conditions || following, in_order)
    using store, filter, behind, behind_at, at_most;
    return;
  end if;

  return query execute format(
    'select * from (select %s from %s where c.store_id = $1 %s order by %s limit $6) c where true %s limit $5',
    columns, source, conditions || following, in_order, beginnings)
  using store, filter, behind, behind_at, at_most, nearby;
  get diagnostics found = row_count;
  if found = at_most then return; end if;

  -- The last one that was looked at; without one these were all.
  execute format('select c.customer_id, c.created_at from %s where c.store_id = $1 %s order by %s offset $5 limit 1',
    source, conditions || following, in_order)
  into behind, behind_at using store, filter, behind, behind_at, nearby - 1;
  if behind is null then return; end if;
  following := case when in_group then ' and m.customer_id < $3'
    else ' and (c.created_at, c.customer_id) < ($4, $3)' end;
  -- `offset 0` keeps the order out of it until everything is gathered.
  return query execute format(
    'select * from (select %s from %s where c.store_id = $1 %s offset 0) c order by %s limit $5',
    columns, source, conditions || beginnings || following, replace(in_order, 'm.', 'c.'))
  using store, filter, behind, behind_at, at_most - found;
end
$$;

revoke all on function search_customers(jsonb, uuid, integer) from public;
grant execute on function search_customers(jsonb, uuid, integer) to customer_api;

-- Whose emails these are, in the manner of 0006; an email that nobody has has no row. The plan that is kept may have
-- been made while the table was empty, so it is told to use the index.
create function lookup_customer_ids(store_ids uuid[], emails text[])
returns table ("position" integer, customer_id uuid)
language plpgsql stable security definer
set search_path = public, pg_temp set plan_cache_mode = force_generic_plan set enable_seqscan = off
as $$
#variable_conflict use_column
begin
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

revoke all on function lookup_customer_ids(uuid[], text[]) from public;
grant execute on function lookup_customer_ids(uuid[], text[]) to customer_reader;
