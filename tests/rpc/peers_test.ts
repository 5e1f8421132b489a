/** Client of the participants, against real servers that misbehave in every way. */
import assert from "node:assert/strict";
import { type Delivery, ParticipantError } from "../../actors/gdpr/types.ts";
import type { StatusName } from "../../grpc/mod.ts";
import { createPeers, type PeerLimits, type PeerOptions } from "../../rpc/peers.ts";
import { eventually } from "../eventually.ts";
import { heldMegabytes } from "../memory.ts";
import { createAuthority } from "./certificates.ts";
import { type Call, cursorOf, encode, order, type PeerRecord, startPeer, startPeerProcess } from "./peer.ts";

/** Part of everything that a misbehaving participant sends; no error may repeat it. */
const SECRET = "mina.keller@shop.example";
const REQUEST = {
  customerId: crypto.randomUUID() as string,
  storeId: crypto.randomUUID() as string,
  requestId: crypto.randomUUID() as string,
  resumeAfter: undefined as string | undefined,
  emailHashes: [{ keyId: "0123456789abcdef", hash: "ab".repeat(32) }],
};

Deno.test("a peer's records arrive complete and in order", async () => {
  const calls: Call[] = [];
  const data = { total: 12.5, lines: [{ sku: "a", gift: true, note: null }], ["__proto__"]: { odd: 1 } };
  await using place = await open((call) => {
    calls.push(call);
    call.send(order(1, { data, recipients: ["Post"], recordedAt: { seconds: 1_700_000_000n, nanos: 5e8 } }));
    return call.send(order(2));
  }, { token: () => Promise.resolve("secret-token") });
  const { received, failure } = await collect(place, { ...REQUEST, resumeAfter: "00000" });
  assert.equal(failure, undefined);
  assert.deepEqual(received.map(({ cursor }) => cursor), ["00001", "00002"]);
  assert.deepEqual(received[0]?.record, {
    category: "order",
    purpose: "contract",
    retention: "ten years",
    recipients: ["Post"],
    data,
    recordedAt: "2023-11-14T22:13:20.500Z",
  });
  assert.equal(received[1]?.record.recordedAt, undefined);
  const [call] = calls;
  const { $typeName: _, $unknown: __, ...asked } = call!.request;
  const emailHashes = asked.emailHashes.map(({ keyId, hash }) => ({ keyId, hash }));
  assert.deepEqual({ ...asked, emailHashes }, { ...REQUEST, resumeAfter: "00000" });
  assert.deepEqual(call?.metadata.getAll("authorization"), ["Bearer secret-token"]);
});

Deno.test("a peer without data returns no records", async () => {
  await using place = await open(() => {});
  assert.deepEqual(await collect(place), { received: [], failure: undefined });
  assert.deepEqual(place.peer.resumedAfter, [undefined]);
});

Deno.test("records of a peer before its failure are kept, and their cursor resumes the call", async () => {
  await using place = await open(async (call, nth) => {
    const first = Number(call.request.resumeAfter ?? 0) + 1;
    for (let number = first; number <= 40; number++) {
      await call.send(order(number));
      if (nth === 1 && number === 20) return await call.canceled;
    }
  });
  const first: Delivery[] = [];
  const failure = await fail(async () => {
    for await (const delivery of place.peers.collect("peer", REQUEST, place.signal)) {
      if (first.push(delivery) === 20) await place.peer.cut();
    }
  });
  assert.equal(failure.reason, "UNREACHABLE");
  assert.equal(first.at(-1)?.cursor, cursorOf(20));
  const { received } = await collect(place, { ...REQUEST, resumeAfter: cursorOf(20) });
  assert.deepEqual([received[0]?.cursor, received.length], [cursorOf(21), 20]);
  assert.deepEqual(place.peer.resumedAfter, [undefined, cursorOf(20)]);
});

Deno.test("a peer may write the customer and the store in upper case", async () => {
  const [customerId, storeId] = [REQUEST.customerId.toUpperCase(), REQUEST.storeId.toUpperCase()];
  await using place = await open((call) => call.send(order(1, { customerId, storeId })));
  const { received, failure } = await collect(place);
  assert.deepEqual([received.length, failure], [1, undefined]);
});

const data = { email: SECRET };
const SUBJECT = { customerId: REQUEST.customerId, storeId: REQUEST.storeId };
const NONSENSE: Record<string, (PeerRecord | Uint8Array)[]> = {
  "bytes that are no record": [new Uint8Array([255, 254, 253])],
  "half a record": [encode(order(1, { ...SUBJECT, data })).slice(0, -3)],
  "a text that is not UTF-8": [new Uint8Array([...encode(order(1, { ...SUBJECT, data })), 0x1a, 1, 0xff])],
  "an empty message": [new Uint8Array()],
  "no cursor": [order(1, { cursor: "", data })],
  "a cursor over 200 characters": [order(1, { cursor: SECRET.padEnd(201, "x"), data })],
  "a cursor that PostgreSQL cannot keep": [order(1, { cursor: `${SECRET}\0`, data })],
  "no category": [order(1, { category: " ", data })],
  "no data": [{ cursor: SECRET, category: SECRET, purpose: SECRET }],
  "a number that is NaN": [order(1, { data: { email: SECRET, deep: [{ number: NaN }] } })],
  "a time that no calendar has": [order(1, { data, recordedAt: { seconds: 10n ** 15n } })],
  "a time with negative nanoseconds": [order(1, { data, recordedAt: { seconds: 1n, nanos: -1 } })],
  "data without a bottom": [nested(5_000)],
  "another customer": [order(1), order(2, { data, customerId: crypto.randomUUID() })],
  "another store": [order(1), order(2, { data, storeId: crypto.randomUUID() })],
  "no customer": [order(1), order(2, { data, customerId: "" })],
  "no store": [order(1), order(2, { data, storeId: "" })],
  "the customer in place of the store": [order(1), order(2, { data, storeId: REQUEST.customerId })],
  "a customer in braces": [order(1), order(2, { data, customerId: `{${REQUEST.customerId}}` })],
  "the cursor after which the call resumes": [order(0, { cursor: "resume", data })],
  "the same cursor twice": [order(1, { cursor: SECRET }), order(2, { cursor: SECRET })],
  "an earlier page again": [order(1, { cursor: SECRET }), order(2), order(3, { cursor: SECRET })],
};

for (const [what, messages] of Object.entries(NONSENSE)) {
  Deno.test(`a peer that sends ${what} fails with that reason, without any of its words`, async () => {
    await using place = await open(async (call) => {
      for (const message of messages) await call.send(message);
      await call.canceled;
    });
    const { received, failure } = await collect(place, { ...REQUEST, resumeAfter: "resume" });
    assert.equal(failure?.reason, "INVALID_DATA");
    assert.equal(received.length, messages.length - 1, "what was valid before it");
    silent(failure);
  });
}

const ANSWERS: Partial<Record<StatusName, ParticipantError["reason"]>> = {
  INVALID_ARGUMENT: "REFUSED",
  NOT_FOUND: "REFUSED",
  PERMISSION_DENIED: "REFUSED",
  UNAUTHENTICATED: "REFUSED",
  UNIMPLEMENTED: "REFUSED",
  RESOURCE_EXHAUSTED: "REFUSED",
  FAILED_PRECONDITION: "REFUSED",
  UNAVAILABLE: "UNREACHABLE",
  INTERNAL: "UNREACHABLE",
  UNKNOWN: "UNREACHABLE",
  CANCELLED: "UNREACHABLE",
  DEADLINE_EXCEEDED: "TIMEOUT",
};

Deno.test("each status of a peer has its reason, before and after records, and its message is dropped", async () => {
  for (const [name, reason] of Object.entries(ANSWERS)) {
    for (const records of [0, 3]) {
      await using place = await open(async (call) => {
        for (let number = 1; number <= records; number++) await call.send(order(number, { data }));
        call.fail(name as StatusName, `no customer ${SECRET}`);
      });
      const { failure } = await collect(place);
      assert.equal(failure?.reason, reason, name);
      silent(failure);
    }
  }
});

Deno.test("a peer that exceeds any limit is cut off", async () => {
  const long = { text: "x".repeat(50_000) };
  const endless = async (call: Call) => {
    let gone = false;
    call.canceled.then(() => gone = true);
    for (let number = 1; !gone; number++) await call.send(order(number, { data: long }));
  };
  const tooMuch: [Partial<PeerLimits>, number][] = [
    [{ recordBytes: 40_000 }, 0],
    [{ records: 7 }, 7],
    [{ bytes: 260_000 }, 5],
  ];
  for (const [limits, kept] of tooMuch) {
    await using place = await open(endless, { limits });
    const { received, failure } = await collect(place);
    assert.equal(failure?.reason, "TOO_MUCH_DATA");
    assert.equal(received.length, kept);
  }
});

Deno.test("a peer whose call has exactly the maximum of records and bytes is accepted", async () => {
  const records = [1, 2, 3].map((number) => encode(order(number, SUBJECT)));
  const bytes = records.reduce((sum, { length }) => sum + length, 0);
  const recordBytes = records[0]!.length;
  const limits: [Partial<PeerLimits>, string | undefined][] = [
    [{ records: 3, bytes, recordBytes }, undefined],
    [{ records: 2 }, "TOO_MUCH_DATA"],
    [{ bytes: bytes - 1 }, "TOO_MUCH_DATA"],
    [{ recordBytes: recordBytes - 1 }, "TOO_MUCH_DATA"],
  ];
  for (const [given, reason] of limits) {
    await using place = await open(async (call) => {
      for (const record of records) await call.send(record);
    }, { limits: given });
    assert.equal((await collect(place)).failure?.reason, reason, JSON.stringify(given));
  }
});

Deno.test("a silent peer times out: before the first record, and before the next", async () => {
  for (const records of [0, 2]) {
    await using place = await open(async (call) => {
      for (let number = 1; number <= records; number++) await call.send(order(number));
      await call.canceled;
    }, { limits: records ? { nextRecordMs: 100 } : { firstRecordMs: 100 } });
    const { received, failure } = await collect(place);
    assert.deepEqual([failure?.reason, received.length], ["TIMEOUT", records]);
  }
});

Deno.test("a peer that trickles without end is cut off at the timeout of the call", async () => {
  await using place = await open(async (call) => {
    let gone = false;
    call.canceled.then(() => gone = true);
    for (let number = 1; !gone; number++) {
      await call.send(order(number));
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }, { limits: { nextRecordMs: 5_000, callMs: 400 } });
  const { received, failure } = await collect(place);
  assert.equal(failure?.reason, "TIMEOUT");
  assert.ok(received.length > 0);
});

Deno.test("a peer that accepts the connection and sends nothing times out", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const taken: Deno.Conn[] = [];
  (async () => {
    for await (const connection of listener) taken.push(connection);
  })();
  using peers = createPeers(
    new Map([["peer", new URL(`http://127.0.0.1:${listener.addr.port}`)]]),
    { limits: { firstRecordMs: 200 } },
  );
  const failure = await fail(() => drain(peers.collect("peer", REQUEST, new AbortController().signal)));
  assert.equal(failure.reason, "TIMEOUT");
  for (const connection of taken) connection.close();
});

Deno.test("a closed port or another protocol is UNREACHABLE; no URL is NOT_CONFIGURED", async () => {
  const free = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  free.close();
  const web = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    () => new Response(SECRET, { status: 503 }),
  );
  using peers = createPeers(
    new Map([
      ["absent", new URL(`http://127.0.0.1:${free.addr.port}`)],
      ["web", new URL(`http://127.0.0.1:${web.addr.port}`)],
    ]),
  );
  for (
    const [service, reason] of Object.entries({
      absent: "UNREACHABLE",
      web: "UNREACHABLE",
      other: "NOT_CONFIGURED",
    })
  ) {
    const failure = await fail(() => drain(peers.collect(service, REQUEST, new AbortController().signal)));
    assert.equal(failure.reason, reason, service);
    silent(failure);
  }
  await web.shutdown();
});

Deno.test("aborting the signal ends the call at the peer, and its reason is thrown", async () => {
  const gone = Promise.withResolvers<void>();
  await using place = await open(async (call) => {
    await call.send(order(1));
    await call.canceled;
    gone.resolve();
  });
  const stopping = new AbortController();
  await assert.rejects(async () => {
    for await (const _ of place.peers.collect("peer", REQUEST, stopping.signal)) {
      setTimeout(() => stopping.abort(new Error("the service stops")), 50);
    }
  }, /^Error: the service stops$/);
  await gone.promise;
});

Deno.test("leaving early, and closing the client, end the call at the peer", async () => {
  let ended = 0;
  await using place = await open(async (call) => {
    await call.send(order(1));
    await call.canceled;
    ended++;
  });
  for await (const _ of place.peers.collect("peer", REQUEST, place.signal)) break;
  await eventually(() => assert.equal(ended, 1));
  const failure = await fail(async () => {
    for await (const _ of place.peers.collect("peer", REQUEST, place.signal)) {
      place.peers[Symbol.dispose]();
    }
  });
  assert.equal(failure.reason, "UNREACHABLE");
  await eventually(() => assert.equal(ended, 2));
});

Deno.test("at most a few records are in transit while no reader takes one", async () => {
  await using place = await open(async (call) => {
    for (let number = 1; number <= 600; number++) {
      await call.send(order(number, { data: { text: "x".repeat(50_000) } }));
    }
  });
  using door = openDoor(Number(place.peer.url.port));
  using peers = createPeers(new Map([["peer", new URL(`http://localhost:${door.port}`)]]));
  for await (const _ of peers.collect("peer", REQUEST, place.signal)) {
    let before = -1;
    while (door.bytes > before) { // until no byte has moved between two looks
      before = door.bytes;
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
    break;
  }
  assert.ok(door.bytes > 50_000 && door.bytes < 5_000_000, `${door.bytes} of 30,000,000 bytes have passed`);
});

Deno.test("forty thousand records arrive in bounded memory", async () => {
  await using peer = await startPeerProcess(40_000);
  using peers = createPeers(new Map([["peer", peer.url]]));
  const start = heldMegabytes();
  let [count, peak] = [0, 0];
  for await (const { cursor } of peers.collect("peer", REQUEST, new AbortController().signal)) {
    assert.equal(cursor, cursorOf(++count));
    if (count % 8_000 === 0) peak = Math.max(peak, heldMegabytes());
  }
  assert.equal(count, 40_000);
  assert.ok(peak - start < 16, `${peak} MiB are held, ${start} MiB before, for 36 MiB of records`);
});

Deno.test("a peer over TLS is trusted through its authority only", async () => {
  const authority = createAuthority("peers");
  const identity = authority.issue({ dns: "localhost" });
  await using peer = await startPeer((call) => call.send(order(1)), identity);
  const urls = new Map([["peer", peer.url]]);
  const { signal } = new AbortController();
  using trusting = createPeers(urls, { tls: { ca: authority.certificate } });
  assert.equal((await drain(trusting.collect("peer", REQUEST, signal))).length, 1);
  using wary = createPeers(urls);
  assert.equal((await fail(() => drain(wary.collect("peer", REQUEST, signal)))).reason, "UNREACHABLE");
});

Deno.test("without a token no call is made", async () => {
  await using place = await open(() => {}, { token: () => Promise.reject(new Error("the issuer is away")) });
  assert.equal((await collect(place)).failure?.reason, "UNREACHABLE");
  assert.deepEqual(place.peer.resumedAfter, []);
});

interface Place extends AsyncDisposable {
  peer: Awaited<ReturnType<typeof startPeer>>;
  peers: ReturnType<typeof createPeers>;
  signal: AbortSignal;
}

/** Participant named "peer" with these answers, and a client that is configured for it. */
async function open(answer: Parameters<typeof startPeer>[0], options: PeerOptions = {}): Promise<Place> {
  await using stack = new AsyncDisposableStack();
  const peer = stack.use(await startPeer(answer));
  const peers = stack.use(createPeers(new Map([["peer", peer.url]]), options));
  const running = stack.move();
  const { signal } = new AbortController();
  return { peer, peers, signal, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

/** Collects everything that arrives, and the error that ends it, if any. */
async function collect({ peers, signal }: Place, request = REQUEST) {
  const received: Delivery[] = [];
  try {
    for await (const delivery of peers.collect("peer", request, signal)) received.push(delivery);
  } catch (error) {
    assert.ok(error instanceof ParticipantError, `${error}`);
    return { received, failure: error };
  }
  return { received, failure: undefined };
}

async function drain(deliveries: AsyncIterable<Delivery>): Promise<Delivery[]> {
  return await Array.fromAsync(deliveries);
}

async function fail(run: () => Promise<unknown>): Promise<ParticipantError> {
  const error = await run().then(() => undefined, (error) => error);
  assert.ok(error instanceof ParticipantError, `${error}`);
  return error;
}

function silent(error: ParticipantError | undefined): void {
  const told = Deno.inspect(error) + Deno.inspect(error?.cause) + error?.stack;
  assert.ok(!told.includes(SECRET), told);
}

/** Counts the bytes that a local port sends to clients of this proxy. */
function openDoor(to: number) {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const counter = { port: listener.addr.port, bytes: 0, [Symbol.dispose]: () => listener.close() };
  (async () => {
    for await (const client of listener) {
      const server = await Deno.connect({ hostname: "127.0.0.1", port: to });
      const count = new TransformStream<Uint8Array, Uint8Array>({
        transform(chunk, controller) {
          counter.bytes += chunk.length;
          controller.enqueue(chunk);
        },
      });
      client.readable.pipeTo(server.writable).catch(() => {});
      server.readable.pipeThrough(count).pipeTo(client.writable).catch(() => {});
    }
  })();
  return counter;
}

/** Bytes of a record with nested data of a given depth; the encoder would refuse to write it. */
function nested(levels: number): Uint8Array {
  let value = new Uint8Array([0x08, 0]); // Value.null_value
  for (let level = 0; level < levels; level++) {
    value = field(6, field(1, value)); // Value.list_value of one value
  }
  const struct = field(
    1,
    new Uint8Array([...field(1, new TextEncoder().encode(SECRET)), ...field(2, value)]),
  );
  const { customerId, storeId } = REQUEST;
  const rest = encode({ customerId, storeId, cursor: SECRET, category: "order" });
  return new Uint8Array([...rest, ...field(6, struct)]);
}

function field(number: number, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const length: number[] = [];
  for (let left = bytes.length; length.length === 0 || left > 0; left = left >>> 7) {
    length.push((left & 0x7f) | (left > 0x7f ? 0x80 : 0));
  }
  const head = [(number << 3) | 2, ...length];
  const joined = new Uint8Array(head.length + bytes.length);
  joined.set(head);
  joined.set(bytes, head.length);
  return joined;
}
