-- Finds customers by phone number.
create index customers_phone on customers (store_id, phone) where anonymized_at is null;

-- Finds requests and their subjects by the last eight digits of an ID, which lists show.
create index gdpr_requests_last_digits on gdpr_requests (store_id, right(request_id::text, 8));
create index gdpr_requests_subject_last_digits on gdpr_requests (store_id, right(customer_id::text, 8));

-- Requests of the current store whose ID, or whose subject's ID, ends with eight digits in lower case. Row-level security
-- would keep the condition from using the indexes, because right() is not leakproof; so the function names the store.
create function find_requests_by_last_digits(digits text, at_most integer)
returns table (request_id uuid, customer_id uuid)
language sql stable security definer set search_path = public, pg_temp
as $$
  (select r.request_id, r.customer_id from gdpr_requests r
   where r.store_id = current_store() and right(r.request_id::text, 8) = digits limit at_most)
  union
  (select r.request_id, r.customer_id from gdpr_requests r
   where r.store_id = current_store() and right(r.customer_id::text, 8) = digits limit at_most)
$$;

revoke all on function find_requests_by_last_digits(text, integer) from public;
grant execute on function find_requests_by_last_digits(text, integer) to customer_api;
