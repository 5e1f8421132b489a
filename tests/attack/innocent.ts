/**
 * Innocent client process: sends ten requests per second on open connections and one per second on a new one, until
 * standard input closes. Prints the samples as one line of JSON. Argument: one JSON object, see `Visit`.
 */
import { GROUPS, grpcFields } from "./attacks/requests.ts";
import { type Connection, connectTo } from "./calls.ts";
import { concat } from "./frames.ts";

export interface Visit {
  httpPort: number;
  grpcPort: number;
  /** Port of a server that is not attacked. */
  bystanderPort: number;
  customerToken: string;
  /** Token of a service that may call GetCustomerGroups and read a customer over REST. */
  serviceToken: string;
  customerId: string;
  storeId: string;
}

/** Kinds of requests: on open connections, and with `fresh` on a new one. */
export type Question = "bystander" | "me" | "healthz" | "rest" | "groups" | "fresh me" | "fresh groups";

/** Kind, start (epoch milliseconds), duration (milliseconds), and reason of a failure. */
export type Sample = [question: Question, at: number, ms: number, failure: string | null];

const TIMEOUT_MS = 5_000;

if (import.meta.main) {
  const samples = await visit(JSON.parse(Deno.args[0] ?? ""), ended());
  // deno-lint-ignore no-console -- what a process prints is its result
  console.log(JSON.stringify(samples));
  Deno.exit(0);
}

async function ended(): Promise<void> {
  for await (const _ of Deno.stdin.readable);
}

async function visit(to: Visit, until: Promise<void>): Promise<Sample[]> {
  const samples: Sample[] = [];
  const ask = questions(to);
  const timers = Object.entries(ask).map(([question, { everyMs, once }]) =>
    setInterval(async () => {
      const [at, begun] = [Date.now(), performance.now()];
      const failure = await withTimeout(once()) ?? null; // as JSON has it
      samples.push([question as Question, at, performance.now() - begun, failure]);
    }, everyMs)
  );
  await until;
  timers.forEach(clearInterval);
  return samples;
}

/** The reason of a failure; undefined for success. */
async function withTimeout(work: Promise<void>): Promise<string | undefined> {
  const late = Promise.withResolvers<string>();
  const timer = setTimeout(late.resolve, TIMEOUT_MS, `no answer in ${TIMEOUT_MS} ms`);
  try {
    return await Promise.race([late.promise, work.then(() => undefined, (error) => reason(error))]);
  } finally {
    clearTimeout(timer);
  }
}

function reason(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, 200);
}

function questions(to: Visit): Record<Question, { everyMs: number; once: () => Promise<void> }> {
  const kept = Deno.createHttpClient({ http2: false });
  const me = (client: Deno.HttpClient) =>
    request(client, `http://127.0.0.1:${to.httpPort}/graphql`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${to.customerToken}` },
      body: '{"query":"{ me { id } }"}',
    }, to.customerId);
  const rest = () =>
    request(kept, `http://127.0.0.1:${to.httpPort}/customers/${to.customerId}`, {
      headers: { authorization: `Bearer ${to.serviceToken}` },
    }, to.customerId);
  const fields = grpcFields(GROUPS, [["authorization", `Bearer ${to.serviceToken}`]]);
  const message = groupsRequest(to);
  let connection: Promise<Connection> | undefined;
  const groups = async () => {
    connection ??= connectTo(to.grpcPort);
    try {
      const open = await connection;
      if (!open.usable) throw new Error("the server refuses further calls");
      await open.call(fields, message);
    } catch (error) {
      connection = undefined;
      throw error;
    }
  };
  return {
    bystander: {
      everyMs: 100,
      once: () => request(kept, `http://127.0.0.1:${to.bystanderPort}/`, {}, "ok"),
    },
    me: { everyMs: 100, once: () => me(kept) },
    healthz: {
      everyMs: 100,
      once: () => request(kept, `http://127.0.0.1:${to.httpPort}/healthz`, {}, ""),
    },
    rest: { everyMs: 500, once: rest },
    groups: { everyMs: 100, once: groups },
    "fresh me": {
      everyMs: 1_000,
      async once() {
        using client = Deno.createHttpClient({ http2: false, poolMaxIdlePerHost: 0 });
        await me(client);
      },
    },
    "fresh groups": {
      everyMs: 1_000,
      async once() {
        const fresh = await connectTo(to.grpcPort);
        try {
          await fresh.call(fields, message);
        } finally {
          fresh.close();
        }
      },
    },
  };
}

async function request(
  client: Deno.HttpClient,
  url: string,
  init: RequestInit,
  holds: string,
): Promise<void> {
  const response = await fetch(url, { ...init, client, signal: AbortSignal.timeout(TIMEOUT_MS) });
  const text = await response.text();
  if (response.status !== 200) throw new Error(`HTTP ${response.status}`);
  if (!text.includes(holds)) throw new Error(`the answer lacks ${holds}`);
}

/** GetCustomerGroupsRequest: customer_id (1), store_id (2). */
export function groupsRequest({ customerId, storeId }: Pick<Visit, "customerId" | "storeId">): Uint8Array {
  const text = (field: number, value: string) => {
    const bytes = new TextEncoder().encode(value);
    return Uint8Array.from([field << 3 | 2, bytes.length, ...bytes]);
  };
  return concat([text(1, customerId), text(2, storeId)]);
}
