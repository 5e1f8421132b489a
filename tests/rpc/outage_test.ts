/** PostgreSQL away and back again, under a gRPC server that stays. */
import assert from "node:assert/strict";
import { bootstrap } from "../../db/bootstrap.ts";
import { openPool } from "../../db/connect.ts";
import { startEmbedded } from "../../db/embedded.ts";
import { migrate } from "../../db/migrate.ts";
import { serveGrpc } from "../../rpc/server.ts";
import { openDoor } from "../door.ts";
import { type Client, connect, type Outcome } from "./client.ts";
import { createMethodsOver, OPEN } from "./serve.ts";

/** The server is up and the customer does not exist: the shortest answer that PostgreSQL must have given. */
const STRANGER = { store_id: crypto.randomUUID(), customer_id: crypto.randomUUID() };

Deno.test("without PostgreSQL every call is UNAVAILABLE soon, and is answered again once it is back", async () => {
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
    assert.ok(performance.now() - started < 1_000, `${performance.now() - started} ms`);
    for (const { status, details } of outcomes) {
      assert.deepEqual([status, details], ["UNAVAILABLE", "The database cannot be reached: try again"]);
    }
  }

  await postgres.start();
  assert.equal((await until(client, ({ status }) => status !== "UNAVAILABLE")).status, "NOT_FOUND");
});

Deno.test("calls under way when PostgreSQL goes down end, none hangs", async () => {
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

Deno.test("a PostgreSQL that keeps silent is as good as away", async () => {
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

/** A PostgreSQL that comes back on the port that it had: a port of ours leads to wherever it is now. */
async function createRestartable() {
  await using stack = new AsyncDisposableStack();
  const folder = stack.adopt(
    await Deno.makeTempDir({ prefix: "customer-service-outage-" }),
    (folder) => Deno.remove(folder, { recursive: true }),
  );
  await Deno.chmod(folder, 0o711);
  const startServer = () => startEmbedded(folder, { settings: { fsync: "off" } });
  let server = await startServer();
  stack.defer(() => server[Symbol.asyncDispose]());
  const direct = new URL(await bootstrap(server.adminUrl, "customers", "test"));
  await migrate(direct.href);

  let door = openDoor(0, Number(direct.port));
  stack.defer(() => door.close());
  const port = door.port;
  const running = stack.move();
  return {
    url: Object.assign(new URL(direct), { port: String(port) }).href,
    async stop() {
      await server[Symbol.asyncDispose]();
      door.close();
    },
    async start() {
      server = await startServer();
      door = openDoor(port, Number(new URL(server.adminUrl).port));
    },
    silence: () => door.hold(true),
    speak: () => door.hold(false),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}
