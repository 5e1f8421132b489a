/** Kills of a relay amid a backlog; tests/chaos kills a replica amid a few events. */
import assert from "node:assert/strict";
import { createDatabase } from "../database.ts";
import { assertOrder, consume, kafkaTest, SHARED_BROKER } from "./kafka.ts";
import { countUnpublished, eventsOf, insertEvents, interleave } from "./outbox.ts";
import { until } from "./waiting.ts";

const SCRIPT = new URL("./relay_process.ts", import.meta.url).pathname;

kafkaTest("a relay killed amid 10,000 events loses none, and each customer's arrive in order", async () => {
  await using database = await createDatabase();
  const store = crypto.randomUUID();
  const customers = Array.from({ length: 200 }, () => crypto.randomUUID());
  const rows = interleave(customers.map((customer) => eventsOf(store, customer, 50)));
  assert.equal(rows.length, 10_000);
  await insertEvents(database.pool("customer_api"), rows);
  await using consumer = await consume(customers);

  for (const seen of [1_000, 4_000, 7_000]) {
    await using relay = spawnRelay(database.url);
    await until(`the consumer sees ${seen} events`, () => consumer.received.length >= seen);
    await relay.kill();
    assert.ok(await countUnpublished(database.admin) > 0, "killed in the middle");
  }
  await using _relay = spawnRelay(database.url);
  await consumer.sees(rows);
  assertOrder(consumer.received, rows);
  await until("every row is marked", async () => await countUnpublished(database.admin) === 0);
});

function spawnRelay(databaseUrl: string) {
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", SCRIPT, databaseUrl, SHARED_BROKER!],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  const kill = async () => {
    process.kill("SIGKILL");
    await process.status;
  };
  return { kill, [Symbol.asyncDispose]: () => kill().catch(() => {}) };
}
