-- Adds two conditions to the search of customers: similar, a list of LIKE patterns of which the first or the last name has to
-- match one, and similarBoth: then both names together may match one instead, in either order. They are checked after the
-- beginnings of the names, which an index finds. The rest of the function stays as the migrations before this one define it.
do $$
declare
  before text := pg_get_functiondef('search_customers(jsonb, uuid, integer)'::regprocedure);
  place text := E'  if behind is null then following := ''''; end if;\n';
  after text := replace(before, place,
    E'  if filter ? ''similar'' then\n' ||
    E'    beginnings := beginnings || replace('' and (fold_case(c.first_name) like any (:patterns)\n' ||
    E'      or fold_case(c.last_name) like any (:patterns)'' || case when filter ? ''similarBoth'' then\n' ||
    E'      '' or fold_case(c.first_name || '''' '''' || c.last_name) like any (:patterns)\n' ||
    E'      or fold_case(c.last_name || '''' '''' || c.first_name) like any (:patterns)''\n' ||
    E'      else '''' end || '')'', '':patterns'',\n' ||
    E'      ''array(select fold_case(pattern) from jsonb_array_elements_text($2 -> ''''similar'''') as p (pattern))'');\n' ||
    E'  end if;\n\n' ||
    place);
begin
  if regexp_count(after, ' like any ') <> 4 then
    raise exception 'search_customers does not begin its queries in the expected form';
  end if;
  execute after;
end
$$;
