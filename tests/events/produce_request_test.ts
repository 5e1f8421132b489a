/** Produce requests and partitions have the bytes and the values of kafkajs, which knows brokers of all versions. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { Partitioners } from "kafkajs";
import protocol from "kafkajs/src/protocol/requests/index.js";
import produceByKafkajs from "kafkajs/src/protocol/requests/produce/v7/request.js";
import { partitionOf } from "../../events/partition.ts";
import {
  encodeProduceRequest,
  type ProduceRequest,
  replaceProduceEncoder,
} from "../../events/produce_request.ts";

/** The internals of kafkajs have no types. */
const encodeByKafkajs = produceByKafkajs as unknown as (
  request: unknown,
) => { encode(): Promise<{ buffer: Uint8Array }> };

const text = fc.oneof(
  fc.uuid(),
  fc.string({ maxLength: 70 }),
  fc.string({ unit: "grapheme", maxLength: 200 }),
);

Deno.test("a produce request has the bytes of kafkajs' own encoder", async () => {
  const message = fc.record({
    key: text,
    value: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
    headers: fc.dictionary(text.filter((name) => name !== "__proto__"), text, { maxKeys: 8 }),
  });
  const partition = fc.record({
    partition: fc.nat({ max: 1_000 }),
    firstSequence: fc.nat(),
    messages: fc.array(message, { minLength: 1, maxLength: 80 }),
  });
  const topic = fc.record({ topic: text, partitions: fc.array(partition, { maxLength: 3 }) });
  const request: fc.Arbitrary<ProduceRequest> = fc.record({
    acks: fc.constantFrom(-1, 1),
    timeout: fc.nat(),
    topicData: fc.array(topic, { maxLength: 2 }),
    producerId: fc.bigInt({ min: -1n, max: 2n ** 63n - 1n }),
    producerEpoch: fc.integer({ min: -1, max: 32_767 }),
  });
  await fc.assert(fc.asyncProperty(request, compare), { numRuns: 60 });
  await compare({
    acks: -1,
    timeout: 5_000,
    topicData: [{
      topic: "audit.event",
      partitions: [{
        partition: 2,
        firstSequence: 7,
        messages: [63, 64, 8_191, 8_192, 1_048_575, 1_048_576].map((length) => ({
          key: "k".repeat(Math.min(length, 8_192)),
          value: Buffer.alloc(length, 7),
          headers: { é: "ü".repeat(Math.min(length, 100)) },
        })),
      }],
    }],
    producerId: 5n,
    producerEpoch: 0,
  });
});

/** kafkajs takes the time of the records from the messages, or from the clock. */
async function compare(request: ProduceRequest): Promise<void> {
  const timestamp = Date.now();
  const topicData = request.topicData.map(({ topic, partitions }) => ({
    topic,
    partitions: partitions.map((data) => ({
      ...data,
      messages: data.messages.map((message) => ({ ...message, timestamp })),
    })),
  }));
  const { buffer: expected } = await encodeByKafkajs({ ...request, topicData }).encode();
  const actual = encodeProduceRequest(request, timestamp);
  assert.ok(
    actual.equals(expected),
    `${actual.toHex().slice(0, 2_000)}\n${expected.toHex().slice(0, 2_000)}`,
  );
}

Deno.test("kafkajs uses this encoder for the events of this service, and its own one for everything else", async () => {
  replaceProduceEncoder();
  replaceProduceEncoder();
  const { requests } = protocol as unknown as { requests: { Produce: Definition } };
  const now = Date.now();
  const request = (message: object, extra: object = {}, version = 7) =>
    requests.Produce.protocol({ version })({
      acks: -1,
      timeout: 1,
      topicData: [{ topic: "t", partitions: [{ partition: 0, firstSequence: 0, messages: [message] }] }],
      producerId: 1n,
      producerEpoch: 0,
      ...extra,
    }).request.encode();
  const event = { key: "k", value: Buffer.from("v"), headers: { h: "1" } };
  const { buffer, writeInt32 } = await request(event);
  assert.equal(writeInt32, undefined); // of kafkajs' encoder
  assert.ok(buffer.length > 80);
  const others = [
    request({ ...event, timestamp: now }),
    request({ ...event, key: null }),
    request({ ...event, value: null }),
    request({ ...event, headers: { h: ["1", "2"] } }),
    request(event, { transactionalId: "id" }),
    request(event, { compression: 1 }),
  ];
  for (const encoded of others) assert.ok((await encoded).writeInt32);
});

interface Definition {
  protocol(of: { version: number }): (request: object) => {
    request: { encode(): Promise<{ buffer: Uint8Array; writeInt32?: unknown }> };
  };
}

Deno.test("a key has the partition of kafkajs' and Java's default partitioner", () => {
  const choose = Partitioners.DefaultPartitioner();
  fc.assert(
    fc.property(text, fc.integer({ min: 1, max: 64 }), (key, count) => {
      const partitionMetadata = Array.from({ length: count }, (_, partitionId) => ({
        ...{ partitionErrorCode: 0, partitionId, leader: 0, replicas: [], isr: [] },
      }));
      assert.equal(
        partitionOf(key, count),
        choose({ topic: "t", partitionMetadata, message: { key, value: "" } }),
      );
    }),
    { numRuns: 1_000 },
  );
});
