/** Fixture: a store with years of GDPR requests, most of them completed, some open, a few stuck. */
import postgres from "postgres";

/**
 * Inserts one request for each of `count` customers, with the participants and journals that the machines would write.
 * Of a hundred, 80 are completed, 14 wait for participants, 5 are pending and one is on hold. One open request in
 * nineteen has an overdue participant.
 *
 * @returns the ID of a request that waits for its participants
 */
export async function loadRequests(adminUrl: string, storeId: string, count: number): Promise<string> {
  const sql = postgres(adminUrl, { max: 1, onnotice: () => {} });
  try {
    await sql`
      create temp table made as
      select i, gen_random_uuid() as request_id, gen_random_uuid() as customer_id,
        (array['ERASURE', 'ERASURE', 'ACCESS', 'PORTABILITY'])[1 + i % 4] as type,
        case when i % 100 < 80 then 'COMPLETED' when i % 100 < 94 then 'IN_PROGRESS' else 'PENDING' end as status,
        i % 100 = 99 as held,
        date_trunc('milliseconds', now() - random() * case when i % 100 < 80 then interval '3 years'
          else interval '33 days' end) as created_at
      from generate_series(1, ${count}::int) i`;
    await sql`
      insert into customers (store_id, customer_id, email, status, version, created_at, updated_at, anonymized_at)
      select ${storeId}, customer_id, case when erased then null else i || '@example.test' end, 'ACTIVE', 1,
        created_at, created_at, case when erased then created_at end
      from (select *, type = 'ERASURE' and status <> 'PENDING' as erased from made) m`;
    await sql`
      insert into gdpr_requests
        (store_id, request_id, customer_id, type, status, outcome, created_at, received_at, channel,
         identified_at, completed_at, due_at, requested_by, machine, snapshot, version)
      select ${storeId}, request_id, customer_id, type, status,
        case when status = 'COMPLETED' then (array['FULFILLED', 'FULFILLED', 'CANCELLED', 'REFUSED'])[1 + i / 100 % 4] end,
        created_at, created_at, 'ACCOUNT', created_at, case when status = 'COMPLETED' then created_at + interval '3 days' end,
        created_at + interval '1 month', customer_id, 'gdpr_' || lower(type) || '@1',
        jsonb_build_object('value', ${value(sql)}, 'context', jsonb_build_object(
          'participants', case when type = 'ERASURE' then ${SERVICES}::text::jsonb
            else ${SERVICES}::text::jsonb || '"customer-service"' end,
          'cause', 'REQUEST', 'receivedAt', ${ms(sql, sql`created_at`)},
          'dueAt', ${ms(sql, sql`created_at + interval '1 month'`)}, 'extended', false, 'clock', 'ON_TIME',
          'attempts', '{}'::jsonb, 'spread', 0.5, 'outcome', null, 'startsAt', ${ms(sql, sql`created_at`)},
          'residue', 0, 'completedAt', null, 'proposals', '{}'::jsonb, 'overdue', '[]'::jsonb, 'waived', '[]'::jsonb, 'fetchUntil', null,
          'expiresAt', null, 'fetchedAt', null, 'proceeds', false)),
        4
      from made`;
    await sql`
      insert into gdpr_participants (store_id, request_id, service, state, attempts, settled_at)
      select ${storeId}, request_id, service,
        case when status = 'COMPLETED' or service <> 'payment-service'
            then case when type = 'ERASURE' then 'CONFIRMED' else 'RECEIVED' end
          when i % 19 = 3 then 'OVERDUE' else 'ASKED' end,
        2, case when status = 'COMPLETED' or service <> 'payment-service' then created_at end
      from made, unnest(array['communication-service', 'order-service', 'payment-service']) as service
      where status <> 'PENDING'`;
    await sql`
      insert into erased_subjects (store_id, customer_id, erased_at)
      select ${storeId}, customer_id, created_at from made where type = 'ERASURE' and status <> 'PENDING'`;
    await sql`
      insert into email_hashes (store_id, customer_id, hash)
      select ${storeId}, customer_id, sha256(customer_id::text::bytea)
      from made where type = 'ERASURE' and status <> 'PENDING'`;
    await sql`
      insert into actor_events
        (store_id, actor_kind, actor_id, sequence, event_type, state_before, state_after, principal_id,
         principal_type, at)
      select ${storeId}, 'gdpr_request', request_id, sequence, event_type, state_before, state_after, customer_id,
        principal_type, created_at + sequence * interval '1 minute'
      from made, (values
        (1, 'open', null, '{"PENDING":"grace"}', 'CUSTOMER'),
        (2, 'grace.ended', '{"PENDING":"grace"}', ${WAITING}, 'SYSTEM'),
        (3, 'participant.confirm', ${WAITING}, ${WAITING}, 'SYSTEM'),
        (4, 'participant.confirm', ${WAITING}, ${WAITING}, 'SYSTEM')
      ) as event (sequence, event_type, state_before, state_after, principal_type)`;
    await sql`vacuum analyze`;
    await sql`checkpoint`;
    const [one] = await sql`
      select request_id from made where status = 'IN_PROGRESS' and type = 'ERASURE' limit 1`;
    return one?.request_id;
  } finally {
    await sql.end();
  }
}

const SERVICES = JSON.stringify(["order-service", "payment-service", "communication-service"]);
const WAITING =
  '{"IN_PROGRESS":{"awaiting_confirmations":{"order-service":"confirmed","payment-service":"asked",' +
  '"communication-service":"confirmed"}}}';

/** State of each request's machine. */
const value = (sql: postgres.Sql) =>
  sql`case
    when status = 'COMPLETED' then '"COMPLETED"'::jsonb
    when held then '{"PENDING": "held"}'
    when status = 'PENDING' and type = 'ERASURE' then '{"PENDING": "grace"}'
    when status = 'PENDING' then '{"PENDING": "recorded"}'
    when type = 'ERASURE' then ${WAITING}::text::jsonb
    else '{"IN_PROGRESS": {"collecting": {"order-service": "received", "payment-service": "asked",
      "communication-service": "received", "customer-service": "received"}}}'
  end`;

const ms = (sql: postgres.Sql, instant: postgres.Fragment) =>
  sql`(extract(epoch from ${instant}) * 1000)::bigint`;
