/** Topics that the broker refuses: the others go on, nothing is repeated, and the log names the topic. */
import assert from "node:assert/strict";
import { type Admin, ConfigResourceTypes } from "kafkajs";
import type { OutboxRow } from "../../db/outbox.ts";
import { kafkaSink } from "../../events/kafka_sink.ts";
import { startRelay } from "../../events/relay.ts";
import { createDatabase, type TestDatabase } from "../database.ts";
import { startBroker } from "../kafka/broker.ts";
import { assertOrder, consume, kafkaTest, PROTOBUF, type Received, settings, withAdmin } from "./kafka.ts";
import { captureLog } from "./log.ts";
import { countUnpublished, event, insertEvents, interleave } from "./outbox.ts";
import { until } from "./waiting.ts";

const STORE = crypto.randomUUID();

/** As the actors' runtime writes them: every change has a domain event and an audit event. */
function audited(customerId: string, topic: string): OutboxRow[] {
  return [event(topic, STORE, customerId), event("audit.event", STORE, customerId)];
}

kafkaTest("a topic that the broker refuses delays and repeats no event of another", async (t) => {
  await using broker = await startBroker();
  const connection = settings(broker.brokers);
  const setLimit = (topic: string, bytes: number) =>
    withAdmin((admin) => limitMessages(admin, topic, bytes), broker.brokers);

  await t.step(
    "audit.event refuses everything; a whole backlog of the others is published once",
    async () => {
      await using log = await captureLog();
      await using database = await createDatabase();
      const customers = Array.from({ length: 40 }, () => crypto.randomUUID());
      await using consumer = await consume(customers, broker.brokers);
      await setLimit("audit.event", 10);
      const rows = interleave(customers.map((customer) => [
        ...audited(customer, "customer.created"),
        ...Array.from({ length: 10 }, () => audited(customer, "customer.updated")).flat(),
        ...audited(customer, "customer.erasure_requested"),
      ]));
      const [audit, domain] = [rows.filter(isAudit), rows.filter((row) => !isAudit(row))];
      await insertEvents(database.pool("customer_api"), rows);
      await using sink = kafkaSink(connection, PROTOBUF);
      // Batches of 20 rows: a shard has several batches of refused rows before its last erasure.
      await using _relay = startRelay(database.pool("customer_worker"), sink, { batchSize: 20, pollMs: 50 });
      await consumer.sees(domain);
      await until("they are marked", async () => await waiting(database, "customer.%") === 0);
      assert.equal(await waiting(database, "audit.event"), audit.length);
      assert.deepEqual(repeated(consumer.received), []);
      const lines = log.lines.filter((line) => line.startsWith("error"));
      assert.match(lines[0]!, /^error Events of audit\.event wait in the outbox: .*max message size/);
      assert.equal(lines.length, 1);

      await setLimit("audit.event", 1_000_000);
      await consumer.sees(audit);
      await until("all are marked", async () => await countUnpublished(database.admin) === 0);
      assertOrder(consumer.received, rows);
      assert.deepEqual(repeated(consumer.received), []);
      await until(
        "the log says so",
        () => log.lines.includes("info Events of audit.event are published again"),
      );
    },
  );

  await t.step("a batch that is too large for the topic is split, and the order is kept", async () => {
    await using database = await createDatabase();
    const customers = Array.from({ length: 3 }, () => crypto.randomUUID());
    await using consumer = await consume(customers, broker.brokers);
    await setLimit("customer.updated", 1_500);
    const rows = interleave(
      customers.map((id) => Array.from({ length: 30 }, () => event("customer.updated", STORE, id))),
    );
    await insertEvents(database.pool("customer_api"), rows);
    await using sink = kafkaSink(connection, PROTOBUF);
    await using _relay = startRelay(database.pool("customer_worker"), sink);
    await consumer.sees(rows);
    await until("all are marked", async () => await countUnpublished(database.admin) === 0);
    assertOrder(consumer.received, rows);
    assert.deepEqual(repeated(consumer.received), []);
    await setLimit("customer.updated", 1_000_000);
  });

  await t.step("what a partition stores is marked although another partition refuses", async () => {
    await using database = await createDatabase();
    const customers = Array.from({ length: 24 }, () => crypto.randomUUID());
    await using consumer = await consume(customers, broker.brokers);
    await setLimit("customer.updated", 1_500);
    const wide = { changedFields: Array.from({ length: 300 }, (_, at) => `field_${at}`) };
    const rows = interleave(
      customers.map((id, at) => [
        event("customer.updated", STORE, id),
        event("customer.updated", STORE, id, at === 0 ? wide : {}),
        event("customer.updated", STORE, id),
      ]),
    );
    const first = rows.filter(({ key }) => key === customers[0]);
    await insertEvents(database.pool("customer_api"), rows);
    await using sink = kafkaSink(connection, PROTOBUF);
    await using _relay = startRelay(database.pool("customer_worker"), sink, { pollMs: 50 });
    const others = rows.filter(({ key }) => key !== customers[0]);
    await consumer.sees([...others, first[0]!]);
    await until("they are marked", async () => await countUnpublished(database.admin) === 2);
    assert.deepEqual(repeated(consumer.received), []);

    await setLimit("customer.updated", 1_000_000);
    await consumer.sees(rows);
    assertOrder(consumer.received, rows);
  });

  await t.step("a topic that was deleted is created again, and its events arrive in order", async () => {
    await using database = await createDatabase();
    const customer = crypto.randomUUID();
    const round = () => [...audited(customer, "customer.created"), ...audited(customer, "customer.updated")];
    const [before, after] = [round(), round()];
    await using sink = kafkaSink(connection, PROTOBUF);
    await using relay = startRelay(database.pool("customer_worker"), sink, { pollMs: 50 });
    const publish = async (rows: OutboxRow[]) => {
      await insertEvents(database.pool("customer_api"), rows);
      relay.wake();
      await until("all are marked", async () => await countUnpublished(database.admin) === 0);
    };
    await publish(before);
    await withAdmin((admin) => admin.deleteTopics({ topics: ["audit.event"] }), broker.brokers);
    await publish(after);
    await using consumer = await consume([customer], broker.brokers);
    await consumer.sees(after);
    assert.deepEqual(repeated(consumer.received), []);
  });
});

function isAudit({ topic }: OutboxRow): boolean {
  return topic === "audit.event";
}

/** Events that arrived more than once. */
function repeated(received: readonly Received[]): string[] {
  const seen = new Set<string>();
  return received.filter(({ headers }) => seen.size === seen.add(headers.ce_id!).size)
    .map(({ topic, headers }) => `${topic} ${headers.ce_id}`);
}

async function waiting({ admin }: TestDatabase, topics: string): Promise<number> {
  const [row] = await admin<{ count: number }[]>`
    select count(*)::int as count from outbox where published_at is null and topic like ${topics}`;
  return row!.count;
}

async function limitMessages(admin: Admin, topic: string, bytes: number): Promise<void> {
  const configEntries = [{ name: "max.message.bytes", value: String(bytes) }];
  const resources = [{ type: ConfigResourceTypes.TOPIC, name: topic, configEntries }];
  await admin.alterConfigs({ validateOnly: false, resources });
}
