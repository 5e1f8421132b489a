/** Erasure log in a real Kafka: retention, reading, and replay into a restored database. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { ConfigResourceTypes, Kafka, logLevel, type Message } from "kafkajs";
import { readErasureLog } from "../../events/erasure_log.ts";
import { kafkaSink } from "../../events/kafka_sink.ts";
import { startRelay } from "../../events/relay.ts";
import { isRestored, startRestoreCheck } from "../../events/restore_check.ts";
import { isProven, proveErasure } from "../../actors/gdpr/requests/erasure_proof.ts";
import { deriveHashKey } from "../../lib/hash_keys.ts";
import type { Verify } from "../../events/erasure_log.ts";
import { createRequestFixture } from "../gdpr/request_fixture.ts";
import { register, type World } from "../actors/world.ts";
import { eventually } from "../eventually.ts";
import { createRestoredBackup, finish, finishReplay } from "../gdpr/restored_backup.ts";
import { runTask } from "../gdpr/task.ts";
import { type Broker, startBroker } from "../kafka/broker.ts";
import { kafkaTest, PROTOBUF, settings, withAdmin } from "./kafka.ts";
import { captureLog } from "./log.ts";
import { countUnpublished, event } from "./outbox.ts";
import { until } from "./waiting.ts";

const WARNING = /^error .*restored from a backup.*deno task erasure replay$/;
const HASH = "ab".repeat(32);

kafkaTest("the erasure log, in a separate broker", async (t) => {
  // The broker compacts early instead of every 15 seconds.
  await using broker = await startBroker(undefined, { "log.cleaner.backoff.ms": 100 });
  const connection = { ...settings(broker.brokers), partitions: 1 };
  const read = async () => (await Array.fromAsync(readErasureLog(connection))).flat();
  await using world = await createRestoredBackup();
  const folder = await Deno.makeTempDir({ prefix: "customer-service-replay-" });
  await using stack = new AsyncDisposableStack();
  stack.defer(() => Deno.remove(folder, { recursive: true }));
  const replay = async (...args: string[]) => {
    if (args.length === 0) args = ["replay", "--from", "kafka"];
    const env = {
      DATABASE_URL: world.restored.database.url,
      KAFKA_BROKERS: broker.brokers,
      DATA_DIR: folder,
      GDPR_HASH_KEY: world.hashKey,
    };
    const { code, stdout, stderr } = await runTask("erasure", args, env);
    // kafkajs logs a harmless warning.
    return { code, stdout, complaints: stderr.split("\n").filter((line) => /^(error|Cannot)/i.test(line)) };
  };
  const hashKeys = [await deriveHashKey(Uint8Array.fromBase64(world.hashKey))] as const;
  const verify: Verify = (subject, proof) => isProven(hashKeys, subject, proof);
  const sources = { kafka: connection, markerFile: undefined, verify };
  const warnings = async ({ database }: World) => {
    await using log = await captureLog();
    await using check = startRestoreCheck(database.pool("customer_worker", 1), sources);
    assert.equal(isRestored(await check.first), log.lines.some((line) => line.startsWith("error ")));
    return log.lines.filter((line) => line.startsWith("error "));
  };

  await t.step("a missing topic is named", async () => {
    await assert.rejects(read(), { message: "Kafka has no topic customer.erased" });
    const { code, complaints } = await replay();
    assert.equal(code, 1);
    assert.match(complaints.join(), /^Cannot continue after 0 entries: .*no topic customer\.erased/);
  });

  await t.step("an erasure is published to the topic, which is compacted and kept forever", async () => {
    await using sink = kafkaSink(connection, PROTOBUF);
    await using _relay = startRelay(world.erased.database.pool("customer_worker"), sink);
    await until("its events are published", async () => await countUnpublished(world.erased.admin) === 0);
    const configuration = await configurationOf(broker, "customer.erased");
    assert.equal(configuration.get("cleanup.policy"), "compact");
    assert.equal(configuration.get("retention.ms"), "-1");
    assert.equal(configuration.get("retention.bytes"), "-1");
    assert.equal((await configurationOf(broker, "customer.updated")).get("cleanup.policy"), "delete");
  });

  await t.step(
    "a restored database warns as soon as Kafka is there, and holds nothing up before",
    async () => {
      await broker.stop();
      await using log = await captureLog();
      const started = performance.now();
      {
        await using check = startRestoreCheck(
          world.restored.database.pool("customer_worker", 1),
          sources,
          50,
        );
        assert.ok(performance.now() - started < 2_000);
        await broker.start();
        await eventually(() => assert.ok(isRestored(check.state())));
      }
      assert.match(log.lines[0]!, /^warning Cannot compare the erasure memory with /);
      const restored = log.lines.filter((line) => WARNING.test(line));
      assert.equal(restored.length, 1, "logged once, not at every comparison");
      assert.deepEqual(await warnings(world.erased), []);
    },
  );

  await t.step("a check can be stopped while Kafka is unavailable", async () => {
    await broker.stop();
    const started = performance.now();
    const check = startRestoreCheck(world.restored.database.pool("customer_worker", 1), sources);
    await check[Symbol.asyncDispose]();
    assert.equal(await check.first, undefined);
    assert.ok(performance.now() - started < 5_000);
    await broker.start();
  });

  await t.step("the database is still recognized after it has erased others and published that", async () => {
    const { restored } = world;
    for (let count = 0; count < 2; count++) {
      await finish(restored, await createRequestFixture(restored).open(await register(restored), "ERASURE"));
    }
    await using sink = kafkaSink(connection, PROTOBUF);
    await using _relay = startRelay(restored.database.pool("customer_worker"), sink);
    await until("its events are published", async () => await countUnpublished(restored.admin) === 0);
    assert.equal((await warnings(restored)).length, 1);
    assert.equal((await warnings(restored)).length, 1, "at every start");
    await restored.admin`delete from gdpr_participants`;
    await restored.admin`delete from erasure_receipts`;
    await restored.admin`delete from gdpr_notices`;
    await restored.admin`delete from gdpr_requests`;
  });

  await t.step("a replay from the topic erases the person again, and only once", async () => {
    const { code, stdout, complaints } = await replay();
    assert.deepEqual([code, complaints], [0, []]);
    assert.match(stdout, /\n1 remembered, 1 erased again, 2 already erased, 0 unknown\n$/);
    assert.ok(stdout.includes(`Store ${world.person.storeId}: 3 entries about 3 persons`), stdout);
    await finishReplay(world);
    assert.deepEqual(await warnings(world.restored), []);
    assert.match((await replay()).stdout, /\n0 remembered, 0 erased again, 3 already erased, 0 unknown\n$/);
  });

  const storeId = crypto.randomUUID();
  const customers = Array.from({ length: 3 }, () => crypto.randomUUID());
  const prove = (customerId: string, erasedAt: Date) =>
    proveErasure(hashKeys, { storeId, customerId, emailHashes: [Uint8Array.fromHex(HASH)], erasedAt });
  const erased = async (customerId: string, erasedAt: Date) =>
    event("customer.erased", storeId, customerId, {
      requestId: crypto.randomUUID(),
      emailHashes: [HASH],
      erasedAt: erasedAt.toISOString(),
      ...await prove(customerId, erasedAt),
    });
  const erasedAt = new Date("2026-03-01T10:00:00.123Z");

  await t.step("it is read from its beginning or near its end, in either format", async () => {
    for (const [format, at] of [["protobuf", new Date(0)], ["json", erasedAt]] as const) {
      await using sink = kafkaSink(connection, { ...PROTOBUF, format });
      const events = await Promise.all(customers.map((customer) => erased(customer, at)));
      await sink.publish(events, new AbortController().signal);
    }
    const entries = await read();
    assert.equal(entries.length, 9);
    assert.equal(entries[0]?.subject?.customerId, world.person.id);
    assert.deepEqual(entries[3]?.subject?.erasedAt, new Date(0));
    assert.deepEqual(entries[8], {
      place: "partition 0, offset 8",
      partition: 0,
      offset: 8n,
      subject: { storeId, customerId: customers[2], emailHashes: [Uint8Array.fromHex(HASH)], erasedAt },
      proof: await prove(customers[2]!, erasedAt),
    });
    const last = (await Array.fromAsync(readErasureLog(connection, { last: 2 }))).flat();
    assert.deepEqual(last.map(({ place }) => place), ["partition 0, offset 7", "partition 0, offset 8"]);
  });

  await t.step(
    "an invalid entry is reported by its position, and a replay processes the others",
    async () => {
      const type = (name: string) => ({ "content-type": `application/${name}` });
      const { payload } = await erased(customers[0]!, erasedAt);
      const json = (more = {}) => JSON.stringify({ ...payload, ...more });
      await produce(broker, [
        { key: "a", value: "garbage", headers: type("json") },
        { key: "b", value: "garbage", headers: type("protobuf") },
        { key: "c", value: Buffer.alloc(0), headers: type("protobuf") },
        { key: "d", value: null },
        { key: "e", value: json() },
        { key: "f", value: json({ emailHashes: [] }), headers: type("json") },
        { key: "g", value: json({ laterField: 1 }), headers: type("json") },
      ]);
      const places = [9, 10, 11, 12, 13, 14].map((offset) => `partition 0, offset ${offset}`);
      assert.deepEqual((await read()).filter(({ subject }) => !subject).map(({ place }) => place), places);
      const { code, stdout, complaints } = await replay();
      assert.equal(code, 1);
      assert.match(stdout, /\n3 remembered, 0 erased again, 3 already erased, 3 unknown\n$/);
      assert.deepEqual(complaints.slice(0, -1), places.map((place) => `Cannot read ${place}`));
    },
  );

  await t.step(
    "an operator may accept that erasures are missing, and forged entries are ignored",
    async () => {
      const { restored } = world;
      await restored.admin`delete from email_hashes where store_id = ${storeId}`;
      await restored.admin`delete from erasure_log_positions`;
      assert.equal((await warnings(restored)).length, 1);
      const accepted = await replay("accept", "--reason", "test data only");
      assert.equal(accepted.code, 0, accepted.complaints.join());
      assert.deepEqual(await warnings(restored), []);
      const decisions = await restored.admin`
      select decision, reason, missing > 0 as lacking from erasure_memory_decisions where decision = 'ACCEPTED'`;
      assert.deepEqual([...decisions], [{ decision: "ACCEPTED", reason: "test data only", lacking: true }]);
      const { payload } = await erased(crypto.randomUUID(), erasedAt);
      const forged = JSON.stringify({ ...payload, customerId: customers[0] });
      const headers = { "content-type": "application/json" };
      await produce(broker, [{ key: "h", value: forged, headers }]);
      await restored.admin`delete from erased_subjects where store_id = ${storeId}`;
      assert.deepEqual(await warnings(restored), []);
    },
  );

  await t.step("reading continues after a batch that compaction has emptied", async () => {
    await configure(broker, {
      "cleanup.policy": "compact",
      "segment.ms": "50",
      "segment.bytes": "1048576",
      "min.cleanable.dirty.ratio": "0", // compact even if only few records are new
    });
    // Two segments too large to merge. The last batch of the first is its producer's last, and compaction empties it.
    for (const filler of ["filler 1", "filler 2"]) {
      await produce(broker, [{ key: filler, value: "x".repeat(900_000) }]);
      await produce(broker, [{ key: "repeated", value: filler }]);
      await new Promise((resolve) => setTimeout(resolve, 100)); // segments roll by age
    }
    await produce(broker, [{ key: "last", value: "" }]);
    const offsets = await eventually(async () => {
      const offsets = (await read()).map(({ place }) => Number(place.split(" ").at(-1)));
      assert.ok(!offsets.includes(18), "the first of the repeated records is gone");
      return offsets;
    }, 120_000); // the broker compacts in the background
    assert.deepEqual(offsets.slice(-4), [17, 19, 20, 21]);
  });

  await t.step("a topic that deletes entries is logged and not changed", async () => {
    const connect = async () => {
      await using log = await captureLog();
      await using sink = kafkaSink(connection, PROTOBUF);
      await sink.publish([event("customer.created", storeId, customers[0]!)], new AbortController().signal);
      return log.lines;
    };
    assert.deepEqual(await connect(), []);
    await configure(broker, { "cleanup.policy": "delete" });
    assert.match((await connect()).join(), /^warning Kafka deletes erasures: .*cleanup\.policy=delete/);
    assert.equal((await configurationOf(broker, "customer.erased")).get("cleanup.policy"), "delete");
  });

  await t.step("a replay without Kafka fails with a message", async () => {
    await broker.stop();
    const { code, complaints } = await replay();
    assert.equal(code, 1);
    assert.match(complaints.join(), /^Cannot continue after 0 entries: /);
  });
});

async function configurationOf({ brokers }: Broker, topic: string): Promise<Map<string, string>> {
  return await withAdmin(async (admin) => {
    const resources = [{ type: ConfigResourceTypes.TOPIC, name: topic }];
    const { resources: [found] } = await admin.describeConfigs({ includeSynonyms: false, resources });
    return new Map(found?.configEntries.map(({ configName, configValue }) => [configName, configValue]));
  }, brokers);
}

/** Replaces all settings of customer.erased. */
async function configure({ brokers }: Broker, settings: Record<string, string>): Promise<void> {
  const configEntries = Object.entries(settings).map(([name, value]) => ({ name, value }));
  const resources = [{ type: ConfigResourceTypes.TOPIC, name: "customer.erased", configEntries }];
  await withAdmin((admin) => admin.alterConfigs({ validateOnly: false, resources }), brokers);
}

/** Writes records to the log with another producer, which then disconnects. */
async function produce({ brokers }: Broker, messages: Message[]): Promise<void> {
  const kafka = new Kafka({ brokers: [brokers], logLevel: logLevel.NOTHING, retry: { retries: 10 } });
  const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 });
  await producer.connect();
  try {
    await producer.send({ topic: "customer.erased", acks: -1, messages });
  } finally {
    await producer.disconnect();
  }
}
