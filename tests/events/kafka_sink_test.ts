import assert from "node:assert/strict";
import { fromBinary, fromJsonString } from "@bufbuild/protobuf";
import { kafkaSink } from "../../events/kafka_sink.ts";
import { startRelay } from "../../events/relay.ts";
import { CustomerUpdatedSchema } from "../../proto/gen/io/shopstar/customer/v1/events_pb.ts";
import { createDatabase } from "../database.ts";
import { assertOrder, consume, kafkaTest, PROTOBUF, settings, SHARED_BROKER } from "./kafka.ts";

import { countUnpublished, event, eventsOf, insertEvents, interleave } from "./outbox.ts";
import { until } from "./waiting.ts";

const RELAY_PROCESS = new URL("./relay_process.ts", import.meta.url).pathname;

kafkaTest("a consumer reads the events of the outbox, in either format", async () => {
  await using database = await createDatabase();
  const store = crypto.randomUUID();
  const customer = crypto.randomUUID();
  await using consumer = await consume([customer]);

  for (const format of ["protobuf", "json"] as const) {
    const row = event("customer.updated", store, customer, { changedFields: ["email", "addresses"] });
    await insertEvents(database.pool("customer_api"), [row]);
    await using sink = kafkaSink(settings(), { ...PROTOBUF, format });
    await using _relay = startRelay(database.pool("customer_worker"), sink);
    await consumer.sees([row]);

    const message = consumer.received.find(({ headers }) => headers.ce_id === row.eventId)!;
    assert.equal(message.topic, "customer.updated");
    assert.deepEqual(message.headers, {
      ...row.headers,
      ce_specversion: "1.0",
      ce_type: "io.shopstar.customer.updated.v1",
      ce_source: "/test",
      "content-type": `application/${format}`,
    });
    const read = format === "json"
      ? fromJsonString(CustomerUpdatedSchema, new TextDecoder().decode(message.value))
      : fromBinary(CustomerUpdatedSchema, message.value);
    assert.equal(read.eventId, row.eventId);
    assert.equal(read.customerId, customer);
    assert.deepEqual(read.changedFields, ["email", "addresses"]);
    await until("the row is marked", async () => await countUnpublished(database.admin) === 0);
  }
});

kafkaTest("three relays at once keep the order of every key", async () => {
  await using database = await createDatabase();
  const store = crypto.randomUUID();
  const customers = Array.from({ length: 60 }, () => crypto.randomUUID());
  const rows = interleave(customers.map((customer) => eventsOf(store, customer, 60)));
  await using consumer = await consume(customers);
  await using stack = new AsyncDisposableStack();
  for (let replica = 0; replica < 3; replica++) {
    const sink = stack.use(kafkaSink(settings(), PROTOBUF));
    stack.use(startRelay(database.pool("customer_worker"), sink, { batchSize: 40, pollMs: 20 }));
  }
  // Written while they run, so that every shard is claimed many times.
  await insertEvents(database.pool("customer_api"), rows);
  await consumer.sees(rows);
  assertOrder(consumer.received, rows);
});

kafkaTest("an event that this version cannot encode holds back its own topic and key only", async () => {
  await using database = await createDatabase();
  const store = crypto.randomUUID();
  const [heldKey, other] = [crypto.randomUUID(), crypto.randomUUID()];
  const update = (key: string, fields = {}) => event("customer.updated", store, key, fields);
  const before = eventsOf(store, heldKey, 2);
  const future = update(heldKey, { laterField: 1 });
  const after = update(heldKey);
  const removed = event("customer.group_removed", store, heldKey);
  const others = eventsOf(store, other, 3);
  const unknownTopic = event("customer.teleported", store, other);
  await insertEvents(database.pool("customer_api"), [
    unknownTopic,
    ...before,
    future,
    after,
    removed,
    ...others,
  ]);
  await using consumer = await consume([heldKey, other]);
  await using sink = kafkaSink(settings(), PROTOBUF);
  await using relay = startRelay(database.pool("customer_worker"), sink, { holdMs: 50, pollMs: 20 });
  await consumer.sees([...before, removed, ...others]);
  await until("what can be marked is", async () => await countUnpublished(database.admin) === 3);

  // Simulates a version that knows the field.
  await database.admin`update outbox set payload = payload - 'laterField' where event_id = ${future.eventId}`;
  relay.wake();
  await consumer.sees([future, after]);
  assertOrder(consumer.received, [...before, future, after, removed, ...others]);
});

kafkaTest("a process that publishes prints no warning of the runtime", async () => {
  await using database = await createDatabase();
  const customer = crypto.randomUUID();
  const rows = eventsOf(crypto.randomUUID(), customer, 20);
  await insertEvents(database.pool("customer_api"), rows);
  await using consumer = await consume([customer]);
  const relay = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "-A", RELAY_PROCESS, database.url, SHARED_BROKER!],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const stderr = new Response(relay.stderr).text();
  try {
    await consumer.sees(rows);
    await until("every row is marked", async () => await countUnpublished(database.admin) === 0);
  } finally {
    relay.kill("SIGKILL");
    await relay.status;
  }
  assert.equal(await stderr, "");
});
