// deno-lint-ignore-file no-console -- a benchmark prints its results
/**
 * `deno task bench bulk`: uploads a file of customers with `POST /customers/bulk` and downloads it with
 * `GET /customers/export`. Prints rows per second and the growth of the server's memory.
 *
 * `--rows=100000`
 */
import { openDatabase } from "./_database.ts";
import { memory, serving } from "./_processes.ts";
import { describeMachine, options, table } from "./_report.ts";
import type { Served } from "./_serve_rest.ts";

const SERVER = new URL("./_serve_rest.ts", import.meta.url).pathname;
const JSON_LINES = "application/x-ndjson";
const KEYED = { "idempotency-key": "bench" };

export async function bulk(args: string[]): Promise<void> {
  const { rows: count } = options(args, { rows: 100_000 });
  console.log(await describeMachine());
  await using database = await openDatabase();
  const storeId = crypto.randomUUID();
  const served: Served = {
    what: "customer-service",
    databaseUrl: database.url,
    storeId,
    folder: database.folder,
  };
  const run = ["run", "-A", "--unstable-no-legacy-abort", SERVER, JSON.stringify(served)];
  await using server = await serving(Deno.execPath(), run);
  const url = `http://127.0.0.1:${server.port}/customers`;
  const post = (type: string, text: Iterable<string>, headers: Record<string, string> = {}) =>
    fetch(`${url}/bulk`, {
      method: "POST",
      headers: { "content-type": type, ...headers },
      body: ReadableStream.from(text).pipeThrough(new TextEncoderStream()),
    });

  const phases: [name: string, ask: () => Promise<Response>][] = [
    ["JSON lines, registered", () => post(JSON_LINES, jsonRows(count), KEYED)],
    ["the same again with its key", () => post(JSON_LINES, jsonRows(count), KEYED)],
    ["CSV, each changed", () => post("text/csv", csvRows(count))],
    ["CSV, each unchanged", () => post("text/csv", csvRows(count))],
    ["export", () => fetch(`${url}/export`)],
  ];
  const seen: string[][] = [];
  for (const [name, ask] of phases) {
    const before = (await memory(server.pid)).resident;
    const from = performance.now();
    const { results, peak } = await watch(await ask(), server.pid);
    const seconds = (performance.now() - from) / 1_000;
    const words = [...results].map(([result, times]) => `${times} ${result}`).join(", ");
    seen.push([name, seconds.toFixed(1), (count / seconds).toFixed(0), (peak - before).toFixed(0), words]);
    console.log(`${name}: ${words}`);
  }
  console.log(`\n${table(["", "seconds", "rows/s", "MiB growth", ""], seen)}`);
}

/** Reads the response stream and samples the server's memory. */
async function watch(response: Response, pid: number) {
  const results = new Map<string, number>();
  let [peak, rest] = [0, ""];
  const sampling = setInterval(async () => peak = Math.max(peak, (await memory(pid)).resident), 250);
  for await (const text of response.body!.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      const result = line.match(/"(?:result|status|code)":"(\w+)"/)?.[1] ?? "?";
      results.set(result, (results.get(result) ?? 0) + 1);
    }
  }
  clearInterval(sampling);
  return { results, peak };
}

function* jsonRows(count: number) {
  yield* inChunks(count, (at) => {
    const [email, phone] = [`customer${at}@example.test`, `+4144${1_000_000 + at}`];
    return JSON.stringify({ email, phone, name: `Ada Augusta King ${at}`, locale: "de-CH" });
  });
}

function* csvRows(count: number) {
  yield "email,firstName,locale\n";
  yield* inChunks(count, (at) => `customer${at}@example.test,"Ada, ${at}",fr-CH`);
}

/** Yields chunks of tens of kilobytes. */
function* inChunks(count: number, rowOf: (at: number) => string) {
  const size = 500;
  for (let from = 0; from < count; from += size) {
    const rows = Array.from({ length: Math.min(size, count - from) }, (_, n) => `${rowOf(from + n)}\n`);
    yield rows.join("");
  }
}
