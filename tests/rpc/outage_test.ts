/** Outage of PostgreSQL under a running gRPC server. */
import assert from "node:assert/strict";
import { openPool } from "../../db/connect.ts";
import { serveGrpc } from "../../rpc/server.ts";
import { createRestartable } from "../restartable.ts";
import { type Client, connect, type Outcome } from "./client.ts";
import { createMethodsOver, OPEN } from "./serve.ts";

/** Status that needs PostgreSQL's answer: the server is up and the customer does not exist. */
const STRANGER = { store_id: crypto.randomUUID(), customer_id: crypto.randomUUID() };

Deno.test("without PostgreSQL every call is UNAVAILABLE soon, and succeeds again after its recovery", async () => {
  await using stack = new AsyncDisposableStack();
  const postgres = stack.use(await createRestartable());
  const client = stack.use(await serve(stack, postgres.url));
  assert.equal((await client.groups(STRANGER)).status, "NOT_FOUND");

  await postgres.stop();
  for (let round = 0; round < 3; round++) {
    const started = performance.now();
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, (_, at) => at % 2 ? client.groups(STRANGER) : client.snapshot(STRANGER)),
    );
    assert.ok(performance.now() - started < 2_500, `${performance.now() - started} ms`);
    for (const { status, details } of outcomes) {
      assert.deepEqual([status, details], ["UNAVAILABLE", "The database cannot be reached: try again"]);
    }
  }

  await postgres.start();
  assert.equal((await until(client, ({ status }) => status !== "UNAVAILABLE")).status, "NOT_FOUND");
});

Deno.test("running calls end when PostgreSQL goes down, and none hangs", async () => {
  await using stack = new AsyncDisposableStack();
  const postgres = stack.use(await createRestartable());
  const client = stack.use(await serve(stack, postgres.url));
  assert.equal((await client.groups(STRANGER)).status, "NOT_FOUND");
  const stopping = new AbortController();
  const underWay = Promise.withResolvers<void>();
  const statuses: string[] = [];
  const asking = Array.from({ length: 8 }, async () => {
    while (!stopping.signal.aborted) {
      if (statuses.push((await client.groups(STRANGER)).status) > 50) underWay.resolve();
    }
  });
  await underWay.promise;
  await postgres.stop();
  stopping.abort();
  await Promise.all(asking);
  assert.deepEqual([...new Set(statuses)].sort(), ["NOT_FOUND", "UNAVAILABLE"]);
});

Deno.test("a PostgreSQL that does not respond counts as unavailable", async () => {
  await using stack = new AsyncDisposableStack();
  const postgres = stack.use(await createRestartable());
  const client = stack.use(await serve(stack, postgres.url));
  assert.equal((await client.groups(STRANGER)).status, "NOT_FOUND");
  postgres.silence();
  const started = performance.now();
  assert.equal((await client.groups(STRANGER)).status, "UNAVAILABLE");
  assert.ok(performance.now() - started < 5_000);
  postgres.speak();
  assert.equal((await until(client, ({ status }) => status !== "UNAVAILABLE")).status, "NOT_FOUND");
});

async function serve(stack: AsyncDisposableStack, url: string): Promise<Client> {
  const sql = stack.adopt(openPool(url, "customer_reader", 2), (sql) => sql.end({ timeout: 1 }));
  const api = stack.adopt(openPool(url, "customer_api", 2), (sql) => sql.end({ timeout: 1 }));
  const methods = await createMethodsOver(sql, api);
  const server = stack.adopt(
    await serveGrpc({ bind: "127.0.0.1", port: 0, admit: OPEN, methods }),
    (server) => server.close(),
  );
  return connect(server.port);
}

async function until(client: Client, wanted: (outcome: Outcome) => boolean): Promise<Outcome> {
  const limit = Date.now() + 10_000;
  while (true) {
    const outcome = await client.groups(STRANGER);
    if (wanted(outcome) || Date.now() > limit) return outcome;
  }
}
