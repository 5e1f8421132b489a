/** SIGTERM under load: every accepted request is answered completely. */
import assert from "node:assert/strict";
import { createWorld, register, type World } from "../actors/world.ts";
import { eventually } from "../eventually.ts";
import { gatewayHeaders, portsOf, production, TRUSTING } from "../production.ts";
import { openCall } from "../rest/bulk.ts";
import { connect } from "../rpc/client.ts";
import { startService } from "../service.ts";
import { type Command, startLoad } from "./load.ts";

Deno.test("clients that observe readiness lose nothing: each request and call succeeds", async () => {
  await using world = await createWorld();
  const customers = await Promise.all(Array.from({ length: 8 }, () => register(world)));
  const env = { ...production(world.database.url), ...TRUSTING, SHUTDOWN_DELAY: "1s" };
  await using service = startService(env);
  const ports = await portsOf(service);
  const leaving = new AbortController();
  const load = startLoad({
    customers,
    http: [ports.http],
    grpc: [ports.grpc],
    signal: leaving.signal,
  });
  await eventually(() => assert.ok(load.commands.length > 50 && load.lookups.length > 200));
  const readyz = async () => {
    const response = await fetch(`http://127.0.0.1:${ports.http}/readyz`);
    return `${response.status} ${await response.text()}`;
  };
  assert.equal(await readyz(), "200 ready\n");

  const signaledAt = Date.now();
  service.signal("SIGTERM");
  using client = connect(ports.grpc);
  await eventually(async () => assert.equal(await readyz(), "503 the service is ending\n"));
  assert.equal(await client.health(), "NOT_SERVING");
  await eventually(() => assert.ok(load.commands.some(({ letsGo }) => letsGo)));
  leaving.abort(); // like a load balancer after a failed readiness probe
  await load.ended;
  const { code } = await service.exited();
  const tookMs = Date.now() - signaledAt;

  assert.equal(code, 0);
  assert.ok(tookMs > 1_000 && tookMs < 15_000, `${tookMs} ms`);
  assert.deepEqual(resultsOf(load.commands), ["OK"]);
  assert.deepEqual(resultsOf(load.lookups), ["OK"]);
  await assertEffects(world, load.commands);
});

Deno.test("later requests are answered or refused, and a refused command was not applied", async () => {
  await using world = await createWorld();
  const customers = await Promise.all(Array.from({ length: 12 }, () => register(world)));
  await using service = startService({ ...production(world.database.url), ...TRUSTING });
  const ports = await portsOf(service);
  const leaving = new AbortController();
  const load = startLoad({
    customers,
    http: [ports.http],
    grpc: [ports.grpc],
    signal: leaving.signal,
  });
  await eventually(() => assert.ok(load.commands.length > 50 && load.lookups.length > 200));
  const signaledAt = Date.now();
  assert.equal((await service.stop("SIGTERM")).code, 0);
  assert.ok(Date.now() - signaledAt < 15_000, `${Date.now() - signaledAt} ms`);
  leaving.abort();
  await load.ended;

  const answered = load.commands.filter(({ result }) => result === "OK");
  const turnedAway = load.commands.filter(({ result }) => result !== "OK");
  assert.ok(answered.length > 50 && turnedAway.length > 0);
  assert.deepEqual(resultsOf(turnedAway), ["UNREACHED"]);
  await assertEffects(world, load.commands);
  assert.deepEqual(resultsOf(load.lookups), ["OK", "UNAVAILABLE"]);
});

Deno.test("a bulk upload in progress ends with a line that says so, and its client loses nothing", async () => {
  await using world = await createWorld();
  await using service = startService({ ...production(world.database.url), ...TRUSTING });
  const { http } = await portsOf(service);
  const row = (at: number) => `${JSON.stringify({ email: `row${at}@example.com` })}\n`;
  const call = await openCall(
    new URL(`http://127.0.0.1:${http}/customers/bulk`),
    {
      ...gatewayHeaders({ id: crypto.randomUUID(), storeId: world.storeId }),
      "x-principal-type": "STAFF",
      "x-roles": `CUSTOMER_MANAGER@${world.storeId}`,
    },
    row(1) + row(2),
  );
  const firstLines = [await call.next(), await call.next()];
  assert.deepEqual(firstLines.map(({ result }) => result), ["CREATED", "CREATED"]);
  service.signal("SIGTERM");
  const [last, ...more] = await call.rest();
  assert.deepEqual([last.error.code, more], ["UNAVAILABLE", []]);
  call[Symbol.dispose]();
  assert.equal((await service.exited()).code, 0);
  assert.equal((await world.admin`select from customers`).length, 2);
});

Deno.test("a replica that is killed during an import leaves no row in part, and another one continues the file", async () => {
  await using world = await createWorld();
  await using replicas = new AsyncDisposableStack();
  const rows = Array.from(
    { length: 1_000 },
    (_, at) => `${JSON.stringify({ email: `row${at}@example.com` })}\n`,
  );
  const principal = gatewayHeaders({ id: crypto.randomUUID(), storeId: world.storeId });
  const headers = {
    ...principal,
    "x-principal-type": "STAFF",
    "x-roles": `CUSTOMER_MANAGER@${world.storeId}`,
    "idempotency-key": "import",
  };
  const start = async (first: string) => {
    const service = replicas.use(startService({ ...production(world.database.url), ...TRUSTING }));
    const { http } = await portsOf(service);
    return {
      service,
      call: await openCall(new URL(`http://127.0.0.1:${http}/customers/bulk`), headers, first),
    };
  };
  const killed = await start(rows.join(""));
  const seen = [await killed.call.next()];
  killed.service.signal("SIGKILL");
  await killed.service.exited();
  killed.call[Symbol.dispose]();
  const counts = async () => {
    const [row] = await world.admin`
      select (select count(*)::int from customers) as customers, (select count(*)::int from actor_events) as events,
        (select count(*)::int from outbox where topic = 'customer.created') as messages,
        (select count(*)::int from idempotency_keys) as keys`;
    return Object.values(row!);
  };
  assert.equal(new Set(await counts()).size, 1, "all of a row is stored, or nothing");
  const { call } = await start(rows.join(""));
  await call.finish();
  const lines = await call.rest();
  call[Symbol.dispose]();
  assert.deepEqual(lines.slice(0, seen.length), seen);
  assert.deepEqual(lines.map(({ row, result }) => [row, result]), rows.map((_, at) => [at + 1, "CREATED"]));
  assert.deepEqual(await counts(), Array(4).fill(rows.length));
});

/** Asserts that the journal has a row for each accepted command and no others. */
async function assertEffects({ admin }: World, commands: readonly Command[]): Promise<void> {
  const rows = await admin<{ id: string; changes: number }[]>`
    select actor_id as id, count(*)::int as changes from actor_events
    where event_type = 'profile.update' group by actor_id`;
  const accepted = Map.groupBy(
    commands.filter(({ result }) => result === "OK"),
    ({ customerId }) => customerId,
  );
  assert.deepEqual(
    Object.fromEntries(rows.map(({ id, changes }) => [id, changes])),
    Object.fromEntries([...accepted].map(([id, those]) => [id, those.length])),
  );
}

function resultsOf(outcomes: readonly { result: string }[]): string[] {
  return [...new Set(outcomes.map(({ result }) => result))].sort();
}
