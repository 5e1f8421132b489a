/** Demo services over gRPC and through events. */
import assert from "node:assert/strict";
import { configure, type LogRecord, reset } from "@logtape/logtape";
import { ParticipantError } from "../../actors/gdpr/types.ts";
import { type DevelopmentIssuer, openDevelopmentIssuer } from "../../auth/development_issuer.ts";
import { deliveringSink } from "../../demo/delivering_sink.ts";
import { DEMO } from "../../demo/ids.ts";
import { HOLDINGS } from "../../demo/peers/holdings.ts";
import { demoPublicKeys } from "../../demo/peers/signing_keys.ts";
import { evidenceDigest, findSigner } from "../../actors/gdpr/receipts/confirmation.ts";
import { type DemoPeersOptions, startDemoPeers } from "../../demo/peers/mod.ts";
import type { EventSettings } from "../../events/encode.ts";
import { kafkaSink } from "../../events/kafka_sink.ts";
import type { Sink } from "../../events/sink.ts";
import { createPeers } from "../../rpc/peers.ts";
import { eventually } from "../eventually.ts";
import { kafkaTest, settings } from "../events/kafka.ts";
import { event } from "../events/outbox.ts";
import { type ConfirmationServer, startConfirmationServer } from "./confirmations.ts";

const SERVICES = ["order-service", "payment-service", "communication-service"];
const EVIDENCE: Record<string, string> = {
  "order-service": "2 orders, 1 return anonymized",
  "payment-service": "2 payments, 1 saved card anonymized",
  "communication-service": "1 newsletter subscription, 2 emails anonymized",
};
const { storeId, customerId } = DEMO;
const never = new AbortController().signal;

Deno.test("the demo services return their records after any cursor; one fails its first call", async () => {
  await using place = await open();
  const ask = (service: string, customerId: string, resumeAfter?: string) =>
    Array.fromAsync(
      place.peers.collect(
        service,
        { customerId, storeId, emailHashes: [], requestId: crypto.randomUUID(), resumeAfter },
        never,
      ),
    );
  assert.deepEqual([...place.demo.urls.keys()].sort(), SERVICES.toSorted());
  await assert.rejects(
    ask("communication-service", customerId),
    (error) => error instanceof ParticipantError && error.reason === "UNREACHABLE",
  );
  for (const service of SERVICES) {
    const all = await ask(service, customerId);
    assert.deepEqual(
      all.map(({ record }) => record.data),
      HOLDINGS[service]?.[customerId]?.map(({ data }) => data),
    );
    const rest = await ask(service, customerId, all[0]?.cursor);
    assert.deepEqual(rest, all.slice(1));
    assert.ok((await ask(service, DEMO.secondCustomerId)).length > 0);
    assert.deepEqual(await ask(service, crypto.randomUUID()), [], "a stranger");
  }
  await assert.rejects(
    ask("order-service", "mina"),
    (error) => error instanceof ParticipantError && error.reason === "REFUSED",
  );
});

Deno.test("each demo service erases and confirms under its own name, and confirms a repeated event again", async () => {
  const keys = await demoPublicKeys();
  await using place = await open();
  const message = erasure();
  await place.demo.deliver("customer.updated", event("customer.updated", storeId, customerId).payload);
  assert.equal(place.confirmations.received.length, 0);

  await place.demo.deliver(message.topic, message.payload);
  await place.demo.deliver(message.topic, message.payload);
  const confirmed = place.confirmations.received.map(({ request }) => [request.service, request.evidence]);
  assert.deepEqual(confirmed.sort(), [...Object.entries(EVIDENCE), ...Object.entries(EVIDENCE)].sort());
  for (const { request, token } of place.confirmations.received) {
    const { principal, service } = await place.issuer.verify(token);
    assert.deepEqual([service, principal.type, principal.storeId], [request.service, "SYSTEM", storeId]);
    assert.deepEqual([request.requestId, request.storeId], [message.payload.requestId, storeId]);
    const evidenceSha256 = evidenceDigest(request.requestId, request.evidence).sha256;
    const confirmation = { storeId, customerId, requestId: request.requestId, service: request.service };
    const signature = new Uint8Array(request.signature);
    const signer = await findSigner({ ...confirmation, evidenceSha256 }, signature, keys[request.service]!);
    assert.ok(signer, `the signature of ${request.service}`);
  }
  const left = place.peers.collect("order-service", {
    customerId,
    storeId,
    requestId: crypto.randomUUID(),
    resumeAfter: undefined,
    emailHashes: [],
  }, never);
  assert.deepEqual(await Array.fromAsync(left), []);
});

Deno.test("only the participants of the request erase", async () => {
  await using place = await open();
  const message = erasure({ participants: ["payment-service"] });
  await place.demo.deliver(message.topic, message.payload);
  assert.deepEqual(place.confirmations.received.map(({ request }) => request.service), ["payment-service"]);
});

Deno.test("a confirmation is retried while customer-service is unavailable, but not after a refusal", async () => {
  await using failing = await startConfirmationServer((nth) => nth < 3 ? "UNAVAILABLE" : "OK");
  await using place = await open(failing);
  const message = erasure({ participants: ["order-service"] });
  await place.demo.deliver(message.topic, message.payload);
  assert.deepEqual(failing.received.map(({ request }) => request.service), ["order-service"]);

  let calls = 0;
  await using refusing = await startConfirmationServer(() => {
    calls++;
    return "FAILED_PRECONDITION";
  });
  await using refused = await open(refusing);
  await refused.demo.deliver(message.topic, message.payload);
  assert.equal(calls, 1);
});

Deno.test("closing the demo services does not wait for an unavailable customer-service", async () => {
  await using server = await startConfirmationServer(() => "UNAVAILABLE");
  await using place = await open(server);
  const message = erasure();
  const delivering = place.demo.deliver(message.topic, message.payload);
  const started = performance.now();
  await place.demo[Symbol.asyncDispose]();
  await delivering;
  assert.ok(performance.now() - started < 1_000);
});

Deno.test("the demo services log no personal value", async () => {
  const lines: string[] = [];
  await configure({
    reset: true,
    sinks: { lines: (record: LogRecord) => void lines.push(record.message.join("")) },
    loggers: [
      { category: ["customer-service", "demo"], sinks: ["lines"], lowestLevel: "debug" },
      { category: ["logtape", "meta"], lowestLevel: "error" },
    ],
  });
  try {
    await using place = await open();
    const requestId = crypto.randomUUID();
    for (const service of SERVICES) {
      await Array.fromAsync(
        place.peers.collect(service, {
          customerId,
          storeId,
          requestId,
          resumeAfter: undefined,
          emailHashes: [],
        }, never),
      ).catch(() => {});
    }
    const message = erasure();
    await place.demo.deliver(message.topic, message.payload);
    for (const service of SERVICES) assert.ok(lines.some((line) => line.startsWith(`${service} `)), service);
    assert.doesNotMatch(lines.join("\n"), /mina|keller|teapot|4242|shop\.example/i);
  } finally {
    await reset();
  }
});

Deno.test("events go to the sink first and then, in the background, to the services", async () => {
  const steps: string[] = [];
  let broken = false;
  const sink: Sink = {
    publish(rows) {
      if (broken) return Promise.reject(new Error("no console"));
      steps.push(...rows.map(({ topic }) => `published ${topic}`));
      return Promise.resolve([]);
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  const slow = Promise.withResolvers<void>();
  await using delivering = deliveringSink(sink, async (topic) => {
    steps.push(`delivered ${topic}`);
    await slow.promise;
    throw new Error("the service is broken");
  });
  const rows = [erasure(), event("customer.updated", storeId, customerId)];
  await delivering.publish(rows, never);
  assert.deepEqual(steps, [
    "published customer.erasure_requested",
    "published customer.updated",
    "delivered customer.erasure_requested",
    "delivered customer.updated",
  ]);
  slow.resolve();
  broken = true;
  await assert.rejects(delivering.publish(rows, never), /no console/);
  assert.equal(steps.length, 4);
});

for (const format of ["protobuf", "json"] satisfies EventSettings["format"][]) {
  kafkaTest(`each demo service consumes an erasure from Kafka, encoded as ${format}`, async () => {
    await using place = await open(undefined, { kafka: settings(), group: `test-${crypto.randomUUID()}` });
    await using sink = kafkaSink(settings(), { format, source: "/test" });
    const message = erasure();
    await sink.publish([message], never);
    await eventually(() => {
      const mine = place.confirmations.received.filter(({ request }) =>
        request.requestId === message.payload.requestId
      );
      assert.deepEqual(mine.map(({ request }) => request.service).sort(), SERVICES.toSorted());
    }, 30_000);
  });
}

/** Event that an erasure has begun. */
function erasure(fields: Record<string, unknown> = {}) {
  return event("customer.erasure_requested", storeId, customerId, {
    requestId: crypto.randomUUID(),
    participants: SERVICES,
    emailHashes: [{ keyId: "00".repeat(8), hash: "ab".repeat(32) }],
    ...fields,
  });
}

async function open(server?: ConfirmationServer, options: Partial<DemoPeersOptions> = {}) {
  await using stack = new AsyncDisposableStack();
  const folder = stack.adopt(
    await Deno.makeTempDir({ prefix: "customer-service-demo-" }),
    (path) => Deno.remove(path, { recursive: true }),
  );
  const issuer: DevelopmentIssuer = await openDevelopmentIssuer(folder);
  const confirmations = server ?? stack.use(await startConfirmationServer());
  const demo = stack.use(
    await startDemoPeers({
      confirm: {
        address: confirmations.address,
        token: (service, storeId) => {
          const principal = { id: crypto.randomUUID(), type: "SYSTEM" as const, storeId, roles: [] };
          return issuer.sign({ principal, service }, 60);
        },
      },
      paceMs: 0,
      ...options,
    }),
  );
  const peers = stack.use(createPeers(demo.urls));
  const running = stack.move();
  return { demo, peers, issuer, confirmations, [Symbol.asyncDispose]: () => running.disposeAsync() };
}
