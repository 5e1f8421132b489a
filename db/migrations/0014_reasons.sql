-- What whoever decided something gave as their reason, in their own words; null: none was given. They may have quoted
-- the subject of a request in it: an erasure empties what does.
alter table actor_events add column reason text check (length(reason) <= 500);

-- So the journal can be changed in this one place, and there only by emptying it.
grant update (reason) on actor_events to customer_api;
create policy only_emptied on actor_events as restrictive for update to customer_api
  using (true) with check (reason is null);
