/** Kafka consumer of one topic, a separate consumer group for each demo service. */
import { type DescMessage, fromBinary, fromJsonString, type MessageShape } from "@bufbuild/protobuf";
import { getLogger } from "@logtape/logtape";
import type { Consumer, KafkaMessage } from "kafkajs";
import { type KafkaSettings, openKafka } from "../../events/kafka_client.ts";
const RETRY_MS = 2_000;
/** Timeout for leaving the group. kafkajs takes longer if the broker is unavailable. */
const CLOSE_LIMIT_MS = 2_000;

/** Consumes in the background as soon as the topic exists. */
export function consume<Schema extends DescMessage>(
  settings: KafkaSettings,
  { topic, group, schema }: { topic: string; group: string; schema: Schema },
  onEvent: (event: MessageShape<Schema>, traceparent: string | undefined) => Promise<void>,
): AsyncDisposable {
  const log = getLogger(["customer-service", "demo"]);
  const { kafka, cut } = openKafka(settings);
  const stopped = Promise.withResolvers<void>();
  let stopping = false;
  let consumer: Consumer | undefined;

  async function start(): Promise<Consumer> {
    const starting = kafka.consumer({
      groupId: group,
      allowAutoTopicCreation: false, // the relay creates it with the right settings
      sessionTimeout: 10_000,
      maxWaitTimeInMs: 500,
    });
    try {
      await starting.connect();
      await starting.subscribe({ topic, fromBeginning: true });
      await starting.run({ eachMessage: ({ message }) => receive(message) });
      return starting;
    } catch (error) {
      await starting.disconnect().catch(() => {});
      throw error;
    }
  }

  async function receive(message: KafkaMessage): Promise<void> {
    const event = decode(schema, message);
    const traceparent = message.headers?.traceparent;
    if (event) await onEvent(event, traceparent && String(traceparent));
    else log.warn("{group} skips an invalid message of {topic}", { group, topic });
  }

  const started = (async () => {
    while (!stopping) {
      try {
        consumer = await start();
        return;
      } catch {
        log.debug("{group} waits for Kafka and the topic {topic}", { group, topic });
        await Promise.race([stopped.promise, later(RETRY_MS)]);
      }
    }
  })();
  return {
    async [Symbol.asyncDispose]() {
      stopping = true;
      stopped.resolve();
      const closed = started.then(() => consumer?.disconnect()).catch(() => {});
      await Promise.race([closed, later(CLOSE_LIMIT_MS)]);
      cut();
    },
  };
}

/** Decodes a message in either EVENT_FORMAT. */
function decode<Schema extends DescMessage>(
  schema: Schema,
  { value, headers }: KafkaMessage,
): MessageShape<Schema> | undefined {
  const bytes = value ?? new Uint8Array();
  const isJson = String(headers?.["content-type"]) === "application/json";
  try {
    return isJson ? fromJsonString(schema, new TextDecoder().decode(bytes)) : fromBinary(schema, bytes);
  } catch {
    return undefined;
  }
}

function later(ms: number): Promise<void> {
  return new Promise((resolve) => Deno.unrefTimer(setTimeout(resolve, ms)));
}
