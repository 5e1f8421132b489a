/** Three replicas under load while one is killed, the database restarts, and the broker restarts. */
import assert from "node:assert/strict";
import { createActors } from "../../actors/mod.ts";
import { systemPrincipal } from "../../domain/principal.ts";
import type { ActorRef } from "../../actors/commands.ts";
import { newTraceparent } from "../../lib/trace_context.ts";
import { openPool, type Sql } from "../../db/connect.ts";
import type { OutboxRow } from "../../db/outbox.ts";
import { requestSettings } from "../actors/settings.ts";
import { assertOrder, consume, kafkaTest } from "../events/kafka.ts";
import { eventually } from "../eventually.ts";
import { startBroker } from "../kafka/broker.ts";
import { portsOf, production, TRUSTING } from "../production.ts";
import { createRestartable } from "../restartable.ts";
import { startService } from "../service.ts";
import { type Outcome, startLoad } from "./load.ts";
import postgres from "postgres";

/** Recovery time in docs/resilience.md, plus a margin for a busy machine. */
const RECOVERY_MS = 10_000;
const DRAINED_MS = 30_000;

kafkaTest(
  "no accepted command is lost and events arrive in order through all outages",
  async () => {
    await using stack = new AsyncDisposableStack();
    const [database, broker] = await Promise.all([createRestartable(), startBroker()]);
    stack.use(database);
    stack.use(broker);
    const admin = stack.adopt(
      postgres(database.adminUrl, { max: 2, transform: { column: { from: postgres.toCamel } } }) as Sql,
      (sql) => sql.end({ timeout: 1 }),
    );
    const customers = await registerMany(database.url, 6);
    const env = {
      ...production(database.url),
      ...TRUSTING,
      KAFKA_BROKERS: broker.brokers,
      KAFKA_PARTITIONS: "3",
      KAFKA_REPLICATION_FACTOR: "1",
    };
    const replicas = [0, 1, 2].map(() => stack.use(startService(env)));
    const ports = await Promise.all(replicas.map(portsOf));
    const leaving = new AbortController();
    const load = startLoad({
      customers,
      http: ports.map(({ http }) => http),
      grpc: ports.map(({ grpc }) => grpc),
      lookups: 2,
      signal: leaving.signal,
      insist: true,
    });
    const survivors = ports.slice(1);
    const allServe = (since: number) =>
      eventually(() => {
        for (const { http, grpc } of survivors) {
          assert.ok(isOkSince(load.commands, http, since), `HTTP port ${http}`);
          assert.ok(isOkSince(load.lookups, grpc, since), `gRPC port ${grpc}`);
        }
        return Date.now() - since;
      });
    const recoveryMs: Record<string, number> = {};
    await allServe(Date.now());

    const killedAt = Date.now();
    await replicas[0]!.stop("SIGKILL");
    recoveryMs.killed = await allServe(killedAt);

    const stoppedAt = Date.now();
    await database.stop();
    await eventually(() => {
      for (const { grpc } of survivors) assert.ok(has(load.lookups, grpc, stoppedAt, "UNAVAILABLE"));
    });
    await database.start();
    recoveryMs.database = await allServe(Date.now());

    await broker.stop();
    await allServe(Date.now());
    await broker.start();
    recoveryMs.broker = await allServe(Date.now());
    leaving.abort();
    await load.ended;
    const endedAt = Date.now();
    await eventually(async () => {
      const [row] = await admin`select count(*)::int as count from outbox where published_at is null`;
      assert.equal(row?.count, 0);
    }, DRAINED_MS);
    recoveryMs.drained = Date.now() - endedAt;
    for (const after of ["killed", "database", "broker"]) {
      assert.ok(
        recoveryMs[after]! < RECOVERY_MS,
        JSON.stringify(recoveryMs),
      );
    }

    await assertEffects(admin, load.commands);
    const rows = await admin<OutboxRow[]>`
    select store_id, event_id, topic, key, payload, headers, created_at from outbox order by key, seq`;
    await using consumer = await consume(customers.map(({ id }) => id), broker.brokers);
    await consumer.sees(rows);
    assertOrder(consumer.received, rows);
    for (const replica of replicas.slice(1)) assert.equal((await replica.stop("SIGTERM")).code, 0);
  },
);

async function registerMany(url: string, count: number): Promise<ActorRef[]> {
  const sql = openPool(url, "customer_api", 2);
  const actors = createActors(sql, { requests: await requestSettings() });
  const storeId = crypto.randomUUID();
  const traceparent = newTraceparent();
  const context = { by: systemPrincipal(storeId), traceparent };
  const refs = Array.from({ length: count }, () => ({
    kind: "customer" as const,
    storeId,
    id: crypto.randomUUID(),
  }));
  for (const ref of refs) {
    await actors.send(ref, { type: "register", email: `${ref.id}@example.com` }, context);
  }
  await sql.end();
  return refs;
}

/** Asserts that each answered command is stored once, with the version of its response. */
async function assertEffects(
  admin: Sql,
  commands: readonly { customerId: string; version: number | undefined }[],
) {
  const accepted = commands.filter(({ version }) => version !== undefined);
  assert.ok(accepted.length > 100);
  const rows = await admin<{ id: string; count: number; version: number }[]>`
    select c.customer_id as id, c.version, count(*)::int as count
    from customers c join actor_events e on e.actor_id = c.customer_id and e.event_type = 'profile.update'
    group by c.customer_id, c.version`;
  for (const { id, count, version } of rows) {
    const versions = accepted.filter(({ customerId }) => customerId === id).map(({ version }) => version);
    assert.deepEqual(versions, Array.from({ length: count }, (_, at) => at + 2));
    assert.equal(version, count + 1);
  }
}

function has(outcomes: readonly Outcome[], port: number, since: number, result: string): boolean {
  return outcomes.some((outcome) => outcome.port === port && outcome.at > since && outcome.result === result);
}

function isOkSince(outcomes: readonly Outcome[], port: number, since: number): boolean {
  return has(outcomes, port, since, "OK");
}
