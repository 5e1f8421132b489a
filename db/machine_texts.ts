/** Reader of the texts that machines have written about a customer, in which no personal value is allowed. */
import type { Sql } from "./connect.ts";
import { type ReadSql, readStore } from "./store_reader.ts";

/** Row of a slice: its key within the source, and its texts in a JSON document. */
interface Slice {
  key: string;
  document: unknown;
}

/** Rows that one statement reads. */
const SLICE = 500;

/**
 * Yields every text that machines have written about a customer, in slices of bounded size, each in a short transaction.
 * Leaves out the machines' own words (states, kinds, services), IDs, times and hashes: a customer may have one of those
 * words as a name. Leaves out reasons too: the erasure removes all of them. Rows that are written during the reading may be missing.
 *
 * @param sql a pool of the role customer_api
 */
export async function* readMachineTexts(
  sql: Sql,
  storeId: string,
  customerId: string,
): AsyncGenerator<string[]> {
  const requests = await readStore(sql, storeId, (tx) =>
    tx<{ requestId: string }[]>`
      select request_id from gdpr_requests where store_id = ${storeId} and customer_id = ${customerId}`);
  const actors = [
    { kind: "customer", id: customerId },
    ...requests.map(({ requestId }) => ({ kind: "gdpr_request", id: requestId })),
  ];
  const sources = [outboxOf(storeId, customerId), answersOf(storeId, customerId)];
  for (const actor of actors) sources.push(journalOf(storeId, actor), effectsOf(storeId, actor));
  sources.push(requestsOf(storeId, customerId));
  for (const source of sources) {
    let after: string | undefined;
    for (;;) {
      const rows: Slice[] = await readStore(sql, storeId, (tx) => source(tx, after));
      yield rows.flatMap(({ document }) => [...textsIn(document)]);
      if (rows.length < SLICE) break;
      after = rows.at(-1)?.key;
    }
  }
}

type Source = (sql: ReadSql, after: string | undefined) => Promise<Slice[]>;
type Actor = { kind: string; id: string };

const journalOf = (storeId: string, { kind, id }: Actor): Source => async (sql, after = "0") =>
  await sql<Slice[]>`
    select e.sequence::text as key,
      to_jsonb(e) - '{actor_kind,event_type,state_before,state_after,transitions,about,principal_type,principal_service,reason}'::text[] as document
    from actor_events e
    where e.store_id = ${storeId} and e.actor_kind = ${kind} and e.actor_id = ${id} and e.sequence > ${after}::int
    order by e.sequence limit ${SLICE}`;

const effectsOf = (storeId: string, { kind, id }: Actor): Source => async (sql, after = NIL) =>
  await sql<Slice[]>`
    select effect_id::text as key, (params - 'service') || jsonb_build_object('error', last_error) as document
    from effects
    where store_id = ${storeId} and actor_kind = ${kind} and actor_id = ${id} and effect_id > ${after}
    order by effect_id limit ${SLICE}`;

const outboxOf = (storeId: string, customerId: string): Source => async (sql, after = NIL) =>
  await sql<Slice[]>`
    select event_id::text as key, jsonb_build_array(
      payload - '{action,actor,target,operation,before,after,participants,status}'::text[], headers - 'traceparent') as document
    from outbox where store_id = ${storeId} and key = ${customerId} and event_id > ${after}
    order by event_id limit ${SLICE}`;

const answersOf = (storeId: string, customerId: string): Source => async (sql, after = "") =>
  await sql<Slice[]>`
    select key, answer - 'state' as document from idempotency_keys
    where store_id = ${storeId} and principal_id = ${customerId} and key > ${after}
    order by key limit ${SLICE}`;

const requestsOf = (storeId: string, customerId: string): Source => async (sql, after = NIL) =>
  await sql<Slice[]>`
    select request_id::text as key, (snapshot -> 'context') - 'participants' as document from gdpr_requests
    where store_id = ${storeId} and customer_id = ${customerId} and request_id > ${after}
    order by request_id limit ${SLICE}`;

const NIL = "00000000-0000-0000-0000-000000000000";

/** IDs, hashes and times. */
const MADE_BY_MACHINES = [
  /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i,
  /^[\da-f]{32,}$/i,
  /^\d{4}-\d\d-\d\d[T ][\d:.]+(?:Z|[+-][\d:]+)$/i,
];

function* textsIn(value: unknown): Generator<string> {
  if (typeof value === "string") {
    if (!MADE_BY_MACHINES.some((pattern) => pattern.test(value))) yield value;
  } else if (typeof value === "object" && value !== null) {
    for (const inner of Object.values(value)) yield* textsIn(inner);
  }
}
