import assert from "node:assert/strict";
import { fromBinary, fromJsonString } from "@bufbuild/protobuf";
import { kafkaSink } from "../../events/kafka_sink.ts";
import { startRelay } from "../../events/relay.ts";
import { CustomerUpdatedSchema } from "../../proto/gen/io/shopstar/customer/v1/events_pb.ts";
import { createDatabase } from "../database.ts";
import { assertOrder, consume, kafkaTest, settings } from "./kafka.ts";
import { countUnpublished, event, eventsOf, insertEvents, interleave } from "./outbox.ts";
import { until } from "./waiting.ts";

kafkaTest("a consumer reads the events of the outbox, in either format", async () => {
  await using database = await createDatabase();
  const store = crypto.randomUUID();
  const customer = crypto.randomUUID();
  await using consumer = await consume([customer]);

  for (const format of ["protobuf", "json"] as const) {
    const row = event("customer.updated", store, customer, { changedFields: ["email", "addresses"] });
    await insertEvents(database.pool("customer_api"), [row]);
    await using sink = kafkaSink(settings(), format);
    await using _relay = startRelay(database.pool("customer_worker"), sink);
    await consumer.sees([row]);

    const message = consumer.received.find(({ headers }) => headers.ce_id === row.eventId)!;
    assert.equal(message.topic, "customer.updated");
    assert.deepEqual(message.headers, {
      ...row.headers,
      ce_specversion: "1.0",
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
    const sink = stack.use(kafkaSink(settings(), "protobuf"));
    stack.use(startRelay(database.pool("customer_worker"), sink, { batchSize: 40, pollMs: 20 }));
  }
  // Written while they run, so that every shard is claimed many times.
  await insertEvents(database.pool("customer_api"), rows);
  await consumer.sees(rows);
  assertOrder(consumer.received, rows);
});

kafkaTest("an event that this version cannot publish holds back its own key only", async () => {
  await using database = await createDatabase();
  const store = crypto.randomUUID();
  const [held, other] = [crypto.randomUUID(), crypto.randomUUID()];
  const before = eventsOf(store, held, 2);
  const future = event("customer.teleported", store, held);
  const after = eventsOf(store, held, 2);
  const others = eventsOf(store, other, 3);
  await insertEvents(database.pool("customer_api"), [...before, future, ...after, ...others]);
  await using consumer = await consume([held, other]);
  await using sink = kafkaSink(settings(), "protobuf");
  await using relay = startRelay(database.pool("customer_worker"), sink, { holdMs: 50, pollMs: 20 });
  await consumer.sees([...before, ...others]);
  await until(
    "what can be marked is",
    async () => await countUnpublished(database.admin) === 1 + after.length,
  );

  // Simulates a version that knows the topic: the row changes to a topic that this version knows.
  await database.admin`update outbox set topic = 'customer.created' where event_id = ${future.eventId}`;
  relay.wake();
  await consumer.sees([future, ...after]);
  assertOrder(consumer.received, [...before, { ...future, topic: "customer.created" }, ...after, ...others]);
});
