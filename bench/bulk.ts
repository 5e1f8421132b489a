/**
 * `deno task bench bulk`: uploads files of customers with `POST /customers/bulk` and downloads them with
 * `GET /customers/export`, compared in rounds with COPY and set-based inserts of the same rows. Reports rows per second, CPU time
 * and writes to PostgreSQL's sockets a row, the growth of the server's memory, and the latency of single updates meanwhile.
 *
 * `--rows=100000 --sample=2000 --rate=20 --compared=5000 --rounds=4`
 */
import postgres from "postgres";
import { type BenchDatabase, openDatabase } from "./_database.ts";
import { cpuMicroseconds, memory, type Serving, serving } from "./_processes.ts";
import { barsOf, compareRounds, OURS, runRounds } from "./_compare.ts";
import { options, quantile, type Report } from "./_report.ts";
import { formatRatios, formatSpread, ratioOf, spread } from "./_statistics.ts";
import type { Served } from "./_serve_rest.ts";

const SERVER = new URL("./_serve_rest.ts", import.meta.url).pathname;
const JSON_LINES = "application/x-ndjson";

/** A customer as a row of the file or of the comparison. */
interface Row {
  email: string;
  phone: string;
  firstName: string;
  lastName: string;
}

export async function bulk(args: string[]): Promise<Report> {
  const settings = options(args, { rows: 100_000, sample: 2_000, rate: 20, compared: 5_000, rounds: 4 });
  const { rows: count, sample, rate } = settings;
  await using database = await openDatabase();
  const storeId = crypto.randomUUID();
  const start = (databaseUrl: string) => startServer(database, databaseUrl, storeId);
  await using server = await start(database.url);
  const keyed = { "idempotency-key": "bench" };
  let customerIds: string[] = [];

  await readResults(await post(server, jsonRows("warm-up", 2_000), JSON_LINES));
  const others = await startOthers(server, rate);
  await others.measure(5_000);
  const phases: [name: string, ask: () => Promise<Response>][] = [
    ["JSON lines, registered", () => post(server, jsonRows("customer", count), JSON_LINES, keyed)],
    ["the same again with its key", () => post(server, jsonRows("customer", count), JSON_LINES, keyed)],
    ["JSON lines, each changed by its ID", () => post(server, changesById(customerIds), JSON_LINES)],
    ["CSV, each changed by its email", () => post(server, csvRows("customer", count), "text/csv")],
    ["CSV, each unchanged", () => post(server, csvRows("customer", count), "text/csv")],
    ["export", () => fetch(`${originOf(server)}/customers/export`)],
  ];
  const seen: string[][] = [];
  for (const [name, ask] of phases) {
    const before = await usage(server, database);
    const measuring = new AbortController();
    const latencies = others.measure(Infinity, measuring.signal);
    const from = performance.now();
    const { results, ids, peak } = await readResults(await ask(), server.pid);
    const seconds = (performance.now() - from) / 1_000;
    measuring.abort();
    const after = await usage(server, database);
    if (ids.length === count) customerIds = ids;
    seen.push([
      name,
      seconds.toFixed(1),
      (count / seconds).toFixed(0),
      ((after.server - before.server) / count).toFixed(0),
      ((after.postgres - before.postgres) / count).toFixed(0),
      (peak - before.resident).toFixed(0),
      ...percentiles(await latencies),
      [...results].map(([result, times]) => `${times} ${result}`).join(", "),
    ]);
  }
  const head = [
    ...["", "seconds", "rows/s", "CPU µs/row", "PostgreSQL CPU µs/row", "MiB growth"],
    ...["others' p50 ms", "p99 ms", "results"],
  ];
  let round = 0;
  const rounds = await runRounds("bulk", settings.rounds, [OURS, COPY], async (name) => {
    const label = `round${round++}x`;
    if (name === COPY) return (await copyAndInsert(database, label, settings.compared)).perSecond;
    const from = performance.now();
    const rows = jsonRows(label, settings.compared);
    const { ids } = await readResults(await post(server, rows, JSON_LINES, { "idempotency-key": label }));
    if (ids.length !== settings.compared) throw new Error(`Only ${ids.length} rows were registered`);
    return settings.compared / (performance.now() - from) * 1_000;
  });
  const ratio = formatRatios(ratioOf(rounds.get(OURS)!, rounds.get(COPY)!), "higher");
  const writes = await countWrites(database, sample, start);
  return {
    notes: [
      `Files of ${
        count.toLocaleString("en-US")
      } rows; meanwhile ${rate} single updates a second, whose p50 and p99 ` +
      `without an import were ${percentiles(others.alone()).join(" and ")} ms. A row takes ${writes}.`,
    ],
    tables: [{ title: "files", head, rows: seen }, {
      title: `registering ${settings.compared.toLocaleString("en-US")} rows, ${settings.rounds} rounds`,
      head: ["", "rows/s", "customer-service ÷ it"],
      rows: [...rounds].map((
        [name, values],
      ) => [name, formatSpread(spread(values)), name === OURS ? "–" : ratio]),
    }],
    plots: [{
      name: "bulk-rate",
      title: "Bulk import: rows per second",
      unit: "rows/s",
      better: "higher",
      groups: [{ name: "registered", bars: barsOf(rounds, (value) => value) }],
    }],
    comparisons: compareRounds("bulk import: rows/s", rounds, (value) => value, "higher"),
  };
}

/** The comparison writes no idempotency keys, validates nothing and looks up no erased people. */
const COPY = "COPY and set-based inserts";

async function startServer(database: BenchDatabase, databaseUrl: string, storeId: string): Promise<Serving> {
  const served: Served = { what: "customer-service", databaseUrl, storeId, folder: database.folder };
  const run = ["run", "-A", "--unstable-no-legacy-abort", SERVER, JSON.stringify(served)];
  return await serving(Deno.execPath(), run);
}

const originOf = ({ port }: Serving) => `http://127.0.0.1:${port}`;

function post(server: Serving, text: Iterable<string>, type: string, headers: Record<string, string> = {}) {
  return fetch(`${originOf(server)}/customers/bulk`, {
    method: "POST",
    headers: { "content-type": type, ...headers },
    body: ReadableStream.from(text).pipeThrough(new TextEncoderStream()),
  });
}

async function usage(server: Serving, database: BenchDatabase) {
  return {
    server: await cpuMicroseconds(server.pid),
    postgres: await cpuMicroseconds(database.pid, true),
    resident: (await memory(server.pid)).resident,
  };
}

/** Reads the response stream and samples the server's memory. */
async function readResults(response: Response, pid = Deno.pid) {
  const results = new Map<string, number>();
  const ids: string[] = [];
  let [peak, rest] = [0, ""];
  const sampling = setInterval(async () => peak = Math.max(peak, (await memory(pid)).resident), 250);
  for await (const text of response.body!.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      const result = line.match(/"(?:result|status|code)":"(\w+)"/)?.[1] ?? "?";
      results.set(result, (results.get(result) ?? 0) + 1);
      if (result === "CREATED") ids.push(line.match(/"customerId":"([^"]+)"/)![1]!);
    }
  }
  clearInterval(sampling);
  return { results, ids, peak };
}

/** Updates of single customers at an even rate. Latencies count from the intended start, in milliseconds. */
async function startOthers(server: Serving, perSecond: number) {
  const { ids } = await readResults(await post(server, jsonRows("other", 100), JSON_LINES));
  let first: number[] | undefined;
  async function update(at: number, since: number): Promise<number> {
    const response = await fetch(`${originOf(server)}/customers/${ids[at % ids.length]}`, {
      method: "PATCH",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ firstName: `Ada ${since}` }),
    });
    await response.body?.cancel();
    if (response.status !== 200) throw new Error(`An update was answered with ${response.status}`);
    return performance.now() - since;
  }
  return {
    alone: () => first ?? [],
    async measure(ms: number, signal?: AbortSignal): Promise<number[]> {
      const from = performance.now();
      const updates: Promise<number>[] = [];
      for (let at = 0; perSecond > 0 && !signal?.aborted; at++) {
        const due = from + at * 1_000 / perSecond;
        if (due - from > ms) break;
        await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - performance.now())));
        updates.push(update(at, due));
      }
      const latencies = await Promise.all(updates);
      first ??= latencies;
      return latencies;
    },
  };
}

function percentiles(latencies: number[]): string[] {
  return [0.5, 0.99].map((part) => quantile(latencies, part).toFixed(1));
}

/** Copies the same rows into a temporary table and inserts them into each table with one statement, all in one commit. */
async function copyAndInsert(database: BenchDatabase, name: string, count: number) {
  const sql = postgres(database.adminUrl, { max: 1, onnotice: () => {} });
  const storeId = crypto.randomUUID();
  const text = [...rowsOf(name, count)].map((row) => Object.values(row).join("\t")).join("\n");
  const before = await cpuMicroseconds(database.pid, true);
  const from = performance.now();
  await sql.begin(async (tx) => {
    await tx`create temp table rows (email text, phone text, first_name text, last_name text,
      customer_id uuid default gen_random_uuid()) on commit drop`;
    const copy = await tx`copy rows (email, phone, first_name, last_name) from stdin`.writable();
    const done = new Promise((resolve, reject) => copy.on("finish", resolve).on("error", reject));
    copy.end(text);
    await done;
    await tx`insert into customers (store_id, customer_id, email, phone, first_name, last_name, status, version,
        created_at, updated_at)
      select ${storeId}, customer_id, email, phone, first_name, last_name, 'ACTIVE', 1, now(), now() from rows`;
    await tx`insert into actor_events (store_id, actor_kind, actor_id, sequence, event_type, state_after,
        principal_id, principal_type, changed_fields, at)
      select ${storeId}, 'customer', customer_id, 1, 'register', 'active', ${storeId}, 'STAFF',
        '{email,phone,first_name,last_name}', now() from rows`;
    await tx`insert into outbox (store_id, event_id, topic, key, payload, headers, created_at)
      select ${storeId}, gen_random_uuid(), topic, customer_id::text,
        jsonb_build_object('eventId', customer_id, 'storeId', ${storeId}::text, 'customerId', customer_id,
          'changedFields', array['email', 'phone', 'firstName', 'lastName'], 'version', 1),
        jsonb_build_object('ce_id', customer_id, 'ce_time', now(), 'ce_subject', customer_id), now()
      from rows, unnest(array['customer.created', 'audit.event']) topic`;
  });
  const perSecond = count / (performance.now() - from) * 1_000;
  await sql.end();
  return { perSecond, postgresCpu: (await cpuMicroseconds(database.pid, true) - before) / count };
}

/** Counts what a server of its own writes to PostgreSQL's sockets, through a proxy. */
async function countWrites(
  { url }: BenchDatabase,
  count: number,
  start: (databaseUrl: string) => Promise<Serving>,
): Promise<string> {
  using proxy = startCountingProxy(Number(new URL(url).port || 5432));
  await using server = await start(Object.assign(new URL(url), { port: String(proxy.port) }).href);
  const upload = async (name: string, headers = {}) => {
    const before = proxy.writes();
    await readResults(await post(server, jsonRows(name, count), JSON_LINES, headers));
    return ((proxy.writes() - before) / count).toFixed(2);
  };
  await upload("first");
  const [keyed, unkeyed] = [await upload("keyed", { "idempotency-key": "writes" }), await upload("unkeyed")];
  return `${keyed} writes to PostgreSQL's sockets with an Idempotency-Key, ${unkeyed} without one`;
}

/** Forwards connections to a port of this machine. Writes that arrive together count as one. */
function startCountingProxy(to: number) {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  let writes = 0;
  const count = () =>
    new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
      transform(chunk, controller) {
        writes++;
        controller.enqueue(chunk);
      },
    });
  (async () => {
    for await (const client of listener) {
      const server = await Deno.connect({ hostname: "127.0.0.1", port: to });
      client.readable.pipeThrough(count()).pipeTo(server.writable).catch(() => {});
      server.readable.pipeTo(client.writable).catch(() => {});
    }
  })();
  return {
    port: listener.addr.port,
    writes: () => writes,
    [Symbol.dispose]: () => listener.close(),
  };
}

function* rowsOf(name: string, count: number): Generator<Row> {
  for (let at = 0; at < count; at++) {
    yield {
      email: `${name}${at}@example.test`,
      phone: `+4144${1_000_000 + at}`,
      firstName: "Ada Augusta",
      lastName: `King ${at}`,
    };
  }
}

function jsonRows(name: string, count: number): Generator<string> {
  return inChunks(rowsOf(name, count).map((row) => JSON.stringify({ ...row, locale: "de-CH" })));
}

function* csvRows(name: string, count: number): Generator<string> {
  yield "email,firstName,locale\n";
  yield* inChunks(rowsOf(name, count).map(({ email }, at) => `${email},"Ada, ${at}",fr-CH`));
}

function changesById(customerIds: readonly string[]): Generator<string> {
  return inChunks(
    customerIds.values().map((customerId) => JSON.stringify({ customerId, lastName: "Byron" })),
  );
}

/** Lines in a chunk, which then has tens of kilobytes. */
const CHUNK = 500;

function* inChunks(lines: Iterable<string>): Generator<string> {
  let chunk: string[] = [];
  for (const line of lines) {
    if (chunk.push(`${line}\n`) < CHUNK) continue;
    yield chunk.join("");
    chunk = [];
  }
  yield chunk.join("");
}
