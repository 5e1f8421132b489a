/** Collection of personal data from participants: real gRPC servers, the real export store, real requests. */
import assert from "node:assert/strict";
import type { CollectOptions } from "../../actors/gdpr/effects/collect.ts";
import { type Delivery, type ExportStore, OWN_DATA } from "../../actors/gdpr/types.ts";
import { PARTICIPANTS } from "../actors/settings.ts";
import { register } from "../actors/world.ts";
import { eventually } from "../eventually.ts";
import { type Call, cursorOf, encode, order, type PeerRecord } from "../rpc/peer.ts";
import { createCollectionFixture } from "./collection_fixture.ts";

const [ORDERS = "", PAYMENTS = "", MAILS = ""] = PARTICIPANTS;

Deno.test("each participant's records are stored once, and then the documents are compiled", async () => {
  await using fixture = await createCollectionFixture({
    [ORDERS]: (call) => sendUpTo(call, 1_234),
    [PAYMENTS]: () => {},
    [MAILS]: (call) => sendUpTo(call, 3),
  });
  const request = await fixture.open();
  await fixture.requests.work();
  const { [OWN_DATA]: own, ...theirs } = await fixture.recordCounts(request);
  assert.deepEqual(theirs, { [ORDERS]: 1_234, [PAYMENTS]: 0, [MAILS]: 3 });
  assert.ok(own, "records of the registration");
  assert.deepEqual(await fixture.participants(request), {
    [ORDERS]: "RECEIVED",
    [PAYMENTS]: "RECEIVED",
    [MAILS]: "RECEIVED",
    [OWN_DATA]: "RECEIVED",
  });
  assert.match(JSON.stringify((await fixture.requests.row(request)).snapshot.value), /compiling/);
});

Deno.test("an unavailable participant delays no other, and later resumes after its last delivered record", async () => {
  await using fixture = await createCollectionFixture({
    [ORDERS]: async (call, nth) => {
      if (nth > 1) return await sendUpTo(call, 700);
      await sendUpTo(call, 620);
      await call.canceled;
    },
    [PAYMENTS]: (call) => sendUpTo(call, 2),
    [MAILS]: (call) => call.fail("UNAVAILABLE", "not now"),
  });
  const request = await fixture.open();
  const orders = fixture.peer(ORDERS);
  const working = fixture.requests.work();
  await eventually(async () => assert.equal((await fixture.recordCounts(request))[ORDERS], 620), 20_000);
  await orders.goAway();
  await working;
  assert.deepEqual(await fixture.participants(request), {
    [ORDERS]: "RETRYING UNREACHABLE",
    [PAYMENTS]: "RECEIVED",
    [MAILS]: "RETRYING UNREACHABLE",
    [OWN_DATA]: "RECEIVED",
  });

  await orders.comeBack();
  await fixture.requests.work(new Date(Date.now() + 3_600_000));
  assert.deepEqual(orders.resumedAfter, [undefined, cursorOf(620)]);
  assert.equal((await fixture.recordCounts(request))[ORDERS], 700);
  assert.equal((await fixture.participants(request))[ORDERS], "RECEIVED");
});

Deno.test("each failure is recorded at its participant, and the other participants are collected", async () => {
  const data = { email: "mina.keller@shop.example" };
  await using fixture = await createCollectionFixture({
    [ORDERS]: (call) => call.send(order(1, { data, category: "" })),
    [PAYMENTS]: async (call) => await call.canceled,
  }, { limits: { firstRecordMs: 500 } });
  const request = await fixture.open();
  await fixture.requests.work();
  assert.deepEqual(await fixture.participants(request), {
    [ORDERS]: "RETRYING INVALID_DATA",
    [PAYMENTS]: "RETRYING TIMEOUT",
    [MAILS]: "RETRYING NOT_CONFIGURED",
    [OWN_DATA]: "RECEIVED",
  });
});

Deno.test("a service that stops keeps the records received so far, and resumes after them when it restarts", async () => {
  await using fixture = await createCollectionFixture({
    [ORDERS]: async (call, nth) => {
      await sendUpTo(call, nth === 1 ? 30 : 60);
      if (nth === 1) await call.canceled;
    },
  });
  const request = await fixture.open();
  const stopping = new AbortController();
  const collecting = fixture.perform(request, ORDERS, { signal: stopping.signal });
  await eventually(async () => assert.equal((await fixture.recordCounts(request))[ORDERS], 30));
  stopping.abort();
  assert.equal(await collecting, "more");
  assert.equal((await fixture.participants(request))[ORDERS], "ASKED", "a shutdown is not a failure");

  assert.equal(await fixture.perform(request, ORDERS), "done");
  assert.deepEqual(fixture.peer(ORDERS).resumedAfter, [undefined, cursorOf(30)]);
  assert.equal((await fixture.recordCounts(request))[ORDERS], 60);
});

Deno.test("a participant that has delivered everything is not called again", async () => {
  await using fixture = await createCollectionFixture({ [ORDERS]: (call) => sendUpTo(call, 5) });
  const request = await fixture.open();
  const crash = () => Promise.reject(new Error("crashed before it sent the command"));
  await assert.rejects(fixture.perform(request, ORDERS, { actors: { send: crash } }), /crashed/);
  assert.equal((await fixture.participants(request))[ORDERS], "ASKED");

  await fixture.peer(ORDERS).goAway();
  assert.equal(await fixture.perform(request, ORDERS), "done");
  assert.equal((await fixture.participants(request))[ORDERS], "RECEIVED");
  assert.equal(await fixture.perform(request, ORDERS), "done", "a repeated command changes nothing");
  assert.deepEqual(fixture.peer(ORDERS).resumedAfter, [undefined]);
});

Deno.test("canceling a request ends its collection and deletes the records", async () => {
  const cancel = Promise.withResolvers<void>();
  await using fixture = await createCollectionFixture({
    [ORDERS]: async (call) => {
      await sendUpTo(call, 10);
      await cancel.promise;
      await call.send(order(11));
    },
  });
  const request = await fixture.open();
  const collecting = fixture.perform(request, ORDERS);
  await eventually(async () => assert.equal((await fixture.recordCounts(request))[ORDERS], 10));
  await fixture.requests.tell(request, "cancel");
  cancel.resolve();
  assert.equal(await collecting, "done");
  const parts = await fixture.world.admin`select part from gdpr_export_parts`;
  assert.deepEqual([...parts], []);
});

Deno.test("two concurrent collections from one participant store each record once", async () => {
  await using fixture = await createCollectionFixture({ [ORDERS]: (call) => sendUpTo(call, 2_000) });
  const request = await fixture.open();
  const ends = await Promise.allSettled([fixture.perform(request, ORDERS), fixture.perform(request, ORDERS)]);
  for (const end of ends) {
    if (end.status === "rejected") assert.match(String(end.reason), /another caller has stored records/);
  }
  assert.equal(await fixture.perform(request, ORDERS), "done");
  assert.equal((await fixture.recordCounts(request))[ORDERS], 2_000);
  assert.equal((await fixture.participants(request))[ORDERS], "RECEIVED");
});

Deno.test("a participant cannot exceed the maximum number of records, however often it is called", async () => {
  await using fixture = await createCollectionFixture(
    { [ORDERS]: (call) => sendUpTo(call, 10_000) },
    {},
    1_200,
  );
  const request = await fixture.open();
  await fixture.perform(request, ORDERS);
  assert.equal((await fixture.participants(request))[ORDERS], "RETRYING TOO_MUCH_DATA");
  await fixture.perform(request, ORDERS);
  assert.equal((await fixture.recordCounts(request))[ORDERS], 1_000);
});

const FOREIGN: Record<string, (call: Call) => PeerRecord> = {
  "another customer": () => order(621, { customerId: crypto.randomUUID() }),
  "another store": () => order(621, { storeId: crypto.randomUUID() }),
  "no customer": () => order(621, { customerId: "" }),
  "the store of the customer of another store": ({ request }) => order(621, { storeId: request.requestId }),
};

Deno.test("nothing is kept of an answer about another customer or store, and the next answer starts anew", async () => {
  const answers = Object.values(FOREIGN);
  await using fixture = await createCollectionFixture({
    [ORDERS]: async (call, nth) => {
      await sendUpTo(call, 620);
      const foreign = answers[nth - 1];
      if (foreign) await call.send(foreign(call));
    },
    [PAYMENTS]: (call) => sendUpTo(call, 2),
  });
  const request = await fixture.open();
  const { store } = fixture;
  let appended = 0;
  const counting = {
    ...store,
    append: (...args: Parameters<ExportStore["append"]>) => {
      appended++;
      return store.append(...args);
    },
  };
  for (const what of Object.keys(FOREIGN)) {
    appended = 0;
    assert.equal(await fixture.perform(request, ORDERS, {}, { store: counting }), "done");
    assert.ok(appended > 0, "records before the foreign one were stored");
    assert.equal((await fixture.recordCounts(request))[ORDERS], 0, what);
    const [chunks] = await fixture.world.admin`
      select count(*)::int as count from gdpr_exports where part = ${`source/${ORDERS}`}`;
    assert.equal(chunks?.count, 0, what);
    assert.equal((await fixture.participants(request))[ORDERS], "RETRYING INVALID_DATA", what);
  }
  assert.equal(await fixture.perform(request, PAYMENTS), "done");
  assert.equal(await fixture.perform(request, ORDERS), "done");
  assert.equal((await fixture.recordCounts(request))[ORDERS], 620);
  assert.deepEqual(fixture.peer(ORDERS).resumedAfter, Array(answers.length + 1).fill(undefined));
  assert.equal((await fixture.recordCounts(request))[PAYMENTS], 2, "other participants keep theirs");

  // Another caller has stored a complete answer in the meantime: that one stays.
  await store.discard({ storeId: request.storeId, requestId: request.id }, ORDERS);
  assert.equal((await fixture.recordCounts(request))[ORDERS], 620);
});

Deno.test("each documented limit of an answer admits what is at the limit, and refuses what exceeds it", async () => {
  let answer: (call: Call) => Promise<void> = () => Promise.resolve();
  await using fixture = await createCollectionFixture({ [ORDERS]: (call) => answer(call) });
  const customer = await register(fixture.world);
  const one = (fields: PeerRecord) => (call: Call) => call.send(order(1, fields));
  const many = (count: number) => (call: Call) => sendUpTo(call, count);
  const chars = (field: string, count: number) => one({ [field]: "ü".repeat(count) });
  const recipients = (count: number, length: number) =>
    one({ recipients: Array(count).fill("ü".repeat(length)) });
  const ofDepth = (open: string, close: string) => (depth: number) =>
    one({ data: JSON.parse(`{"a":${open.repeat(depth - 1)}0${close.repeat(depth - 1)}}`) });
  const [lists, objects] = [ofDepth("[", "]"), ofDepth('{"a":', "}")];
  const bytes = (count: number) => (call: Call) => {
    const { customerId, storeId } = call.request;
    const record = (length: number) =>
      encode({ customerId, storeId, ...order(1, { data: { text: "x".repeat(length) } }) });
    // Three lengths in front of the text need more bytes than those of an empty one.
    const overhead = record(count - 1_000).length - (count - 1_000);
    const message = record(count - overhead);
    assert.equal(message.length, count);
    return call.send(message);
  };
  const line = `${
    JSON.stringify({
      category: "order",
      purpose: "contract",
      retention: "ten years",
      recipients: [],
      data: { number: 10 },
    })
  }\n`;
  const MIB = 1024 ** 2;
  type Limit = [
    what: string,
    at: (call: Call) => Promise<void>,
    over: (call: Call) => Promise<void>,
    reason: string,
    options?: Partial<CollectOptions>,
  ];
  const limits: Limit[] = [
    ["cursor", chars("cursor", 200), chars("cursor", 201), "INVALID_DATA"],
    ["category", chars("category", 200), chars("category", 201), "INVALID_DATA"],
    ["purpose", chars("purpose", 1_000), chars("purpose", 1_001), "INVALID_DATA"],
    ["retention", chars("retention", 1_000), chars("retention", 1_001), "INVALID_DATA"],
    ["recipient", recipients(1, 200), recipients(1, 201), "INVALID_DATA"],
    ["recipients", recipients(100, 1), recipients(101, 1), "INVALID_DATA"],
    ["lists", lists(32), lists(33), "INVALID_DATA"],
    ["objects", objects(32), objects(33), "INVALID_DATA"],
    ["objects beyond the parser's limit", objects(32), objects(1_000), "INVALID_DATA"],
    ["message", bytes(MIB), bytes(MIB + 1), "TOO_MUCH_DATA"],
    ["records", many(600), many(601), "TOO_MUCH_DATA", { maxRecords: 600 }],
    // The numbers of records 10 to 99 have two digits.
    ["JSON", many(99), many(100), "TOO_MUCH_DATA", { maxBytes: 99 * line.length - 9 }],
  ];
  for (const [what, at, over, reason, options] of limits) {
    for (const [send, expected] of [[at, "RECEIVED"], [over, `RETRYING ${reason}`]] as const) {
      answer = send;
      const request = await fixture.open(customer);
      await fixture.perform(request, ORDERS, {}, options);
      assert.equal((await fixture.participants(request))[ORDERS], expected, what);
      if (expected !== "RECEIVED") {
        await fixture.perform(request, ORDERS, {}, options);
        assert.equal((await fixture.participants(request))[ORDERS], expected, `${what}, asked again`);
      }
      await fixture.requests.tell(request, "cancel");
    }
  }
});

Deno.test("a failed read of the service's own data stores no record, and the worker handles the error", async () => {
  await using fixture = await createCollectionFixture({});
  const request = await fixture.open();
  const record = {
    category: "a",
    purpose: "b",
    retention: "c",
    recipients: [],
    data: {},
    recordedAt: undefined,
  };
  async function* broken(): AsyncGenerator<Delivery> {
    for (let number = 1; number <= 3; number++) {
      yield await Promise.resolve({ record, cursor: String(number) });
    }
    throw new Error("the connection is lost");
  }
  await assert.rejects(fixture.perform(request, OWN_DATA, {}, { collectOwn: broken }), /connection is lost/);
  assert.equal((await fixture.recordCounts(request))[OWN_DATA], 0);
  assert.equal(await fixture.perform(request, OWN_DATA), "done");
  assert.equal((await fixture.participants(request))[OWN_DATA], "RECEIVED");
});

/** Sends the records after the caller's cursor, up to a number. */
async function sendUpTo(call: Call, last: number): Promise<void> {
  for (let number = Number(call.request.resumeAfter ?? 0) + 1; number <= last; number++) {
    await call.send(order(number));
  }
}
