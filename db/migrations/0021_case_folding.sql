-- Unicode's root rules for upper and lower case, from ICU: the same whatever collation the database has, in every
-- version of PostgreSQL that this service supports. A collation of our own, so that the owner can refresh its version
-- when ICU is updated: `alter collation case_folding refresh version`. An update changes no character that had upper
-- and lower case before it.
do $$
begin
  create collation case_folding (provider = icu, locale = 'und');
exception when feature_not_supported then
  raise exception 'PostgreSQL is built without ICU, which compares names in any case: use a build with ICU';
end
$$;

-- The form in which names are compared: two that a reader takes for the same have the same form. It ignores case
-- (ΣΊΣΥΦΟΣ, σίσυφος; WEISS, weiß; İnan, inan), the way in which accents are encoded, characters that are displayed as
-- nothing, and the kind and number of spaces between words. For comparisons only, never to be shown.
--
-- ASCII, which is most of the data, takes a short way of a fifteenth of the time. The folding itself is
-- lower(upper()), as ß has a capital of two letters; the capital ẞ, which has no other one, is replaced before. Final
-- sigma and the dot that İ leaves behind depend on the letters around them, so they are replaced after it: otherwise
-- the form of a prefix would not be a prefix of the form.
create function fold_case(value text) returns text
  language sql immutable parallel safe
return case
  when octet_length(value) = length(value) and strpos(value, '  ') = 0 then lower(value collate "C")
  else btrim(normalize(
    replace(replace(
      lower(upper(
        replace(
          regexp_replace(
            regexp_replace(
              normalize(value, NFC),
              -- Default_Ignorable_Code_Point, and the blank Braille pattern and musical note.
              '[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d159\U0001d173-\U0001d17a\U000e0000-\U000e0fff]',
              '', 'g'),
            '[ \u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]+', ' ', 'g'),
          'ẞ', 'ß')
        collate case_folding) collate case_folding),
      U&'i\0307', 'i'),
      'ς', 'σ'),
    NFC)) collate "C"
end;

revoke all on function fold_case(text) from public;
grant execute on function fold_case(text) to customer_api;

drop index customers_last_name_prefix;
drop index customers_first_name_prefix;
create index customers_last_name_prefix on customers (store_id, fold_case(last_name) text_pattern_ops)
  where anonymized_at is null;
create index customers_first_name_prefix on customers (store_id, fold_case(first_name) text_pattern_ops)
  where anonymized_at is null;

-- PostgreSQL estimates the selectivity of a prefix from these; it does not use the statistics of partial indexes.
drop statistics customers_last_names;
drop statistics customers_first_names;
create statistics customers_last_names on (fold_case(last_name)) from customers;
create statistics customers_first_names on (fold_case(first_name)) from customers;
alter statistics customers_last_names set statistics 500;
alter statistics customers_first_names set statistics 500;

-- Only the conditions on names change in the search; the rest of it stays as the migrations before this one define it.
do $$
declare
  before text := pg_get_functiondef('search_customers(jsonb, uuid, integer)'::regprocedure);
  after text := regexp_replace(
    before,
    'lower\(c\.(first|last)_name\) like lower\((\$2 #>> ''''\{names,%s,[01]\}'''')\)',
    'fold_case(c.\1_name) like fold_case(\2)',
    'g');
begin
  if regexp_count(after, 'fold_case\(c\.') <> 2 then
    raise exception 'search_customers has no conditions on names in the expected form';
  end if;
  execute after;
end
$$;
