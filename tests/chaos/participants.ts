/**
 * Participants that misbehave: some of their answers are slow, cut off or wrong, and they confirm some erasures twice,
 * at any replica.
 */
import { Kafka, logLevel } from "kafkajs";
import { fromBinary } from "@bufbuild/protobuf";
import { CustomerErasureRequestedSchema } from "../../proto/gen/io/shopstar/customer/v1/events_pb.ts";
import { PLATFORM } from "../production.ts";
import { type Client, connect } from "../rpc/client.ts";
import { type Call, cursorOf, order, startPeer } from "../rpc/peer.ts";
import { startTcpProxy, type TcpProxy } from "../tcp_proxy.ts";
import type { Line } from "./history.ts";
import type { Random } from "./random.ts";

/** Records that each participant has of each customer. */
export const RECORDS = 5;
const RETRY_MS = 500;

const MISBEHAVIORS = ["slow", "hangs", "dies", "garbage", "twice", "fails"] as const;
export type Misbehavior = typeof MISBEHAVIORS[number];

export interface Participant {
  name: string;
  /** Proxy before it, which can hold back its answers. */
  proxy: TcpProxy;
  goAway(): Promise<void>;
  comeBack(): Promise<void>;
}

export interface ParticipantOptions {
  names: readonly string[];
  brokers: string;
  /** gRPC ports of the replicas. */
  grpc: () => readonly number[];
  random: Random;
  /** Share of wrong answers, from 0 to 1. */
  misbehavior: number;
  /** Kinds of wrong answers; all by default. */
  misbehaviors?: readonly Misbehavior[];
  record: (line: Line) => void;
}

export async function startParticipants(options: ParticipantOptions) {
  await using stack = new AsyncDisposableStack();
  const participants: Participant[] = [];
  for (const name of options.names) {
    const peer = stack.use(await startPeer((call) => answer(call, options)));
    const proxy = startTcpProxy(0, Number(peer.url.port));
    stack.defer(() => proxy.close());
    participants.push({ name, proxy, goAway: peer.goAway, comeBack: peer.comeBack });
  }
  const ending = new AbortController();
  stack.use(await listen(options, ending.signal));
  stack.defer(() => ending.abort());
  const running = stack.move();
  return { participants, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

async function answer(
  call: Call,
  { random, misbehavior, misbehaviors = MISBEHAVIORS }: ParticipantOptions,
): Promise<void> {
  const wrong = random.chance(misbehavior) ? random.pick(misbehaviors) : undefined;
  for (let number = Number(call.request.resumeAfter || 0) + 1; number <= RECORDS; number++) {
    if (wrong && number === Math.ceil(RECORDS / 2)) {
      if (wrong === "slow") await new Promise((resolve) => setTimeout(resolve, 1_500));
      if (wrong === "hangs") return await call.canceled;
      if (wrong === "dies") return call.fail("UNAVAILABLE", "it is ending");
      if (wrong === "fails") return call.fail("INTERNAL", "it has failed");
      if (wrong === "garbage") return await call.send(new Uint8Array([255, 255, 255]));
      if (wrong === "twice") await call.send(order(number - 1));
    }
    await call.send({ ...order(number), cursor: cursorOf(number) });
  }
}

/** Reads the requests for erasure from Kafka and confirms each one for every participant. */
async function listen(options: ParticipantOptions, ending: AbortSignal): Promise<AsyncDisposable> {
  const { brokers, record } = options;
  const kafka = new Kafka({
    clientId: "chaos-participants",
    brokers: [brokers],
    logLevel: logLevel.NOTHING,
    retry: { retries: 20, maxRetryTime: 2_000, restartOnFailure: () => Promise.resolve(true) },
  });
  const consumer = kafka.consumer({
    groupId: `chaos-${crypto.randomUUID()}`,
    maxWaitTimeInMs: 200,
    sessionTimeout: 10_000,
  });
  const confirming = new Set<Promise<void>>();
  const clients = new Map<number, Client>();
  await consumer.connect();
  await consumer.subscribe({ topics: ["customer.erasure_requested"], fromBeginning: true });
  await consumer.run({
    eachMessage: ({ message }) => {
      const event = fromBinary(CustomerErasureRequestedSchema, new Uint8Array(message.value!));
      for (const service of event.participants) {
        const { requestId, customerId } = event;
        record({ kind: "confirmation", at: Date.now(), service, requestId, customerId, status: "HEARD" });
        const times = options.random.chance(0.3) ? 2 : 1;
        for (let time = 0; time < times; time++) {
          const confirmed = confirm({ ...event, service }, clients, options, ending);
          confirming.add(confirmed);
          confirmed.finally(() => confirming.delete(confirmed));
        }
      }
      return Promise.resolve();
    },
  });
  return {
    async [Symbol.asyncDispose]() {
      await consumer.disconnect();
      await Promise.all(confirming);
      for (const client of clients.values()) client[Symbol.dispose]();
    },
  };
}

async function confirm(
  { requestId, storeId, customerId, service }: Record<
    "requestId" | "storeId" | "customerId" | "service",
    string
  >,
  clients: Map<number, Client>,
  { grpc, random, record }: ParticipantOptions,
  ending: AbortSignal,
): Promise<void> {
  const uri = `spiffe://${PLATFORM.GRPC_TRUST_DOMAIN}/ns/${PLATFORM.GRPC_CALLER_NAMESPACES}/sa/${service}`;
  const request = { request_id: requestId, store_id: storeId, service, evidence: "all rows" };
  while (!ending.aborted) {
    await new Promise((resolve) => setTimeout(resolve, random.between(0, 300)));
    const port = random.pick(grpc());
    const client = known(clients, port);
    const metadata = { "x-forwarded-client-cert": `URI=${uri}` };
    const { status } = await client.call("ConfirmErasure", request, { metadata, withinMs: 8_000 });
    record({ kind: "confirmation", at: Date.now(), service, requestId, customerId, status });
    if (
      !["UNAVAILABLE", "DEADLINE_EXCEEDED", "ABORTED", "RESOURCE_EXHAUSTED", "CANCELLED"].includes(status)
    ) {
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

function known(clients: Map<number, Client>, port: number): Client {
  const client = clients.get(port) ?? connect(port);
  clients.set(port, client);
  return client;
}
