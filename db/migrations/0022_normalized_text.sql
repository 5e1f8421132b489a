-- Names and addresses in Unicode's normalization form C, as every input is from now on. A value that would become too
-- long for its column stays as it is; comparisons normalize it. Versions do not change: the values read the same.
update customers set
  first_name = case when length(normalize(first_name, NFC)) <= 100 then normalize(first_name, NFC) else first_name end,
  last_name = case when length(normalize(last_name, NFC)) <= 100 then normalize(last_name, NFC) else last_name end
where first_name is not NFC normalized or last_name is not NFC normalized;

update customer_addresses set
  line1 = case when length(normalize(line1, NFC)) <= 200 then normalize(line1, NFC) else line1 end,
  line2 = case when length(normalize(line2, NFC)) <= 200 then normalize(line2, NFC) else line2 end,
  city = case when length(normalize(city, NFC)) <= 100 then normalize(city, NFC) else city end,
  state = case when length(normalize(state, NFC)) <= 100 then normalize(state, NFC) else state end,
  postal_code = case when length(normalize(postal_code, NFC)) <= 20 then normalize(postal_code, NFC) else postal_code end
where line1 is not NFC normalized or line2 is not NFC normalized or city is not NFC normalized
  or state is not NFC normalized or postal_code is not NFC normalized;

update shopper_groups set name = normalize(name, NFC)
where name is not NFC normalized and length(normalize(name, NFC)) <= 100
  -- The unique index of the exact names is still in force.
  and not exists (
    select 1 from shopper_groups other
    where other.store_id = shopper_groups.store_id and other.group_id <> shopper_groups.group_id
      and normalize(other.name, NFC) = normalize(shopper_groups.name, NFC));

-- A name belonged to one group of a store by its exact spelling; now "VIP", "vip" and "VIP " with an invisible end are
-- one name. The oldest group keeps it. Each later one gets the first free number behind its name, with a new version
-- and a row in its journal, as if the service itself had renamed it.
do $$
declare
  later record;
  number integer;
  candidate text;
begin
  for later in
    select store_id, group_id, name, version, priority from (
      select g.*, row_number() over (
        partition by store_id, fold_case(name) order by created_at, group_id) as place
      from shopper_groups g where deleted_at is null) ranked
    where place > 1 order by created_at, group_id
  loop
    number := 1;
    loop
      number := number + 1;
      candidate := left(normalize(later.name, NFC), 100 - length(format(' (%s)', number))) || format(' (%s)', number);
      exit when not exists (
        select 1 from shopper_groups g
        where g.store_id = later.store_id and g.deleted_at is null and fold_case(g.name) = fold_case(candidate));
    end loop;
    update shopper_groups set name = candidate, version = version + 1, updated_at = now()
    where store_id = later.store_id and group_id = later.group_id;
    insert into actor_events (store_id, actor_kind, actor_id, sequence, event_type, state_before, state_after,
      principal_id, principal_type, changed_fields, at, reason)
    values (later.store_id, 'shopper_group', later.group_id, later.version + 1, 'group.update', 'active', 'active',
      '00000000-0000-4000-8000-000000000000', 'SYSTEM', array['name'], now(),
      'An older group of the store has the same name');
    raise notice 'shopper group % of store % has been renamed', later.group_id, later.store_id;
  end loop;
end
$$;

drop index shopper_groups_name;
create unique index shopper_groups_name on shopper_groups (store_id, fold_case(name) text_pattern_ops)
  where deleted_at is null;
