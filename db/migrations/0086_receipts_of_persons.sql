-- The receipts of a person, who is found by the email after the request was deleted.
create index erasure_receipts_customer on erasure_receipts (store_id, (document ->> 'customerId'));
