/** End of a run: waits until the work that the faults have delayed is done, and keeps the evidence. */
import type { Sql } from "../../db/connect.ts";
import { callHttp, headersOf } from "./calls.ts";
import { type End, FILES, type Line, type Message, type Row } from "./history.ts";
import { pause } from "./schedule.ts";
import { askServer, type Stack } from "./stack.ts";
import { readMessages } from "./topics.ts";

interface Waiting {
  events: number;
  requests: number;
  effects: number;
}

/**
 * Waits until every event is published and every request that has started is completed. Retries of participants, which
 * would come after a minute or more, become due at once.
 *
 * @returns a sentence about what still waits after the limit; undefined if nothing does
 */
export async function settle(stack: Stack, limitMs: number): Promise<string | undefined> {
  const limit = Date.now() + limitMs;
  await stack.ask(endClaims);
  for (let hurriedAt = 0;;) {
    const waiting = await stack.ask(countWaiting);
    if (waiting.events + waiting.requests + waiting.effects === 0) return undefined;
    if (Date.now() > limit) {
      return `${waiting.events} events, ${waiting.requests} requests and ${waiting.effects} effects still wait`;
    }
    if (Date.now() - hurriedAt > 2_000) {
      await stack.ask(hurry);
      hurriedAt = Date.now();
    }
    await pause(200);
  }
}

async function countWaiting(sql: Sql): Promise<Waiting> {
  const [row] = await sql<[Waiting]>`
    select (select count(*)::int from outbox where published_at is null) as events,
      (select count(*)::int from gdpr_requests
        where status <> 'COMPLETED' and coalesce(cancellable_until, now()) <= now()) as requests,
      (select count(*)::int from effects where state = 'PENDING') as effects`;
  return row;
}

/** Ends the claims of timers and effects, which replicas that were killed no longer need. Others notice that they lost them. */
async function endClaims(sql: Sql): Promise<void> {
  await sql`update timers set due_at = now() where attempts > 0 and due_at between now() and now() + interval '16 s'`;
  await sql`update effects set due_at = now() where state = 'PENDING' and due_at > now()`;
}

async function hurry(sql: Sql): Promise<void> {
  await sql`update timers set due_at = now() where due_at > now() and event->>'type' = 'ask'`;
  // The claim of a performer that runs ends within 15 s: what is due later waits for a retry.
  await sql`update effects set due_at = now() where state = 'PENDING' and due_at > now() + interval '16 s'`;
}

/** Downloads the documents of some completed requests, as the shoppers who have requested them. */
export async function download(stack: Stack, count: number, record: (line: Line) => void): Promise<void> {
  const requests = await stack.ask((sql) =>
    sql<{ request_id: string; customer_id: string; store_id: string }[]>`
      select request_id, customer_id, store_id from gdpr_requests r
      where type = 'PORTABILITY' and outcome = 'FULFILLED'
        and exists (select from customers c where c.customer_id = r.customer_id and c.anonymized_at is null)
      order by created_at limit ${count}`
  );
  const [replica] = stack.replicas;
  for (const { request_id: requestId, customer_id: principal, store_id: storeId } of requests) {
    const trace = crypto.randomUUID().replaceAll("-", "");
    const headers = headersOf("CUSTOMER", { principal, storeId, trace });
    const query = `{ gdprRequest(id: "${requestId}") { export { url } } }`;
    const found = await callHttp(replica!.http, {
      method: "POST",
      path: "/graphql",
      headers,
      body: { query },
    });
    const url = found.body?.data?.gdprRequest?.export?.url;
    if (typeof url !== "string") continue;
    const { pathname } = new URL(url, "http://localhost");
    const { body } = await callHttp(replica!.http, {
      method: "GET",
      path: `${pathname}/portability.json`,
      headers,
    });
    record({ kind: "download", requestId, records: recordsIn(body) });
  }
}

/** Numbers of the records of each participant in a document for portability. */
function recordsIn(
  // deno-lint-ignore no-explicit-any -- a document that only this function reads
  document: any,
): Record<string, number[]> {
  const records: Record<string, number[]> = {};
  for (const source of document?.sources ?? []) {
    for (const { data } of source.records) {
      if (typeof data?.number === "number") (records[source.service] ??= []).push(data.number);
    }
  }
  return records;
}

/** Keeps every table, message and output in the folder, and ends the history. The replicas have ended. */
export async function keepEvidence(
  stack: Stack,
  folder: string,
  record: (line: Line) => void,
): Promise<void> {
  const messages = await readMessages(stack.broker.brokers);
  await writeLines(`${folder}/${FILES.messages}`, messages);
  await Deno.mkdir(`${folder}/${FILES.logs}`, { recursive: true });
  for (const { name, outputs } of stack.replicas) {
    for (const [index, text] of outputs.entries()) {
      await Deno.writeTextFile(`${folder}/${FILES.logs}/${name}-${index}.log`, text);
    }
  }
  const end: End = { kind: "end", at: Date.now(), dumpedAt: await keepTables(stack, folder) };
  record(end);
}

/** Keeps the rows of every table. Returns PostgreSQL's time. */
export async function keepTables(stack: Pick<Stack, "database">, folder: string): Promise<string> {
  await Deno.mkdir(`${folder}/${FILES.tables}`, { recursive: true });
  return await askServer(stack.database, async (sql) => {
    const tables = await sql<{ name: string }[]>`
      select table_name as name from information_schema.tables
      where table_schema = 'public' and table_type = 'BASE TABLE'`;
    for (const { name } of tables) {
      const rows = await sql<{ row: Row }[]>`select to_jsonb(t) as row from ${sql(name)} t`;
      await writeLines(`${folder}/${FILES.tables}/${name}.jsonl`, rows.map(({ row }) => row));
    }
    const [row] = await sql<[{ now: string }]>`select to_jsonb(now()) as now`;
    return row.now;
  });
}

async function writeLines(path: string, values: readonly (Row | Message)[]): Promise<void> {
  await Deno.writeTextFile(path, values.map((value) => `${JSON.stringify(value)}\n`).join(""));
}
