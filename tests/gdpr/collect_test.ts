/** Collecting: real peers, the real store, real requests. */
import { newTraceparent } from "../../lib/trace_context.ts";
import assert from "node:assert/strict";
import type { EffectContext, Performer } from "../../actors/runtime/effects.ts";
import { type CollectOptions, collectPerformer } from "../../actors/gdpr/effects/collect.ts";
import { createExportStore } from "../../actors/gdpr/exports/store.ts";
import { collectOwnData } from "../../actors/gdpr/effects/own_data.ts";
import { type Delivery, type ExportStore, OWN_DATA } from "../../actors/gdpr/types.ts";
import type { ActorRef } from "../../actors/commands.ts";
import { enterStore } from "../../db/connect.ts";
import type { ClaimedEffect } from "../../db/effects.ts";
import { findRequest } from "../../db/gdpr_requests.ts";
import { claimTimers } from "../../db/timers.ts";
import { createPeers, type PeerOptions } from "../../rpc/peers.ts";
import { PARTICIPANTS } from "../actors/settings.ts";
import { createWorld, register, type World } from "../actors/world.ts";
import { eventually } from "../eventually.ts";
import { heldMegabytes } from "../memory.ts";
import { type Call, cursorOf, order, startPeer, startPeerProcess, type TestPeer } from "../rpc/peer.ts";
import { createWorkshop } from "./workshop.ts";

const [ORDERS = "", PAYMENTS = "", MAILS = ""] = PARTICIPANTS;

Deno.test("every source's records are kept once, and then the documents are made", async () => {
  await using house = await createHouse({
    [ORDERS]: (call) => sendUpTo(call, 1_234),
    [PAYMENTS]: () => {},
    [MAILS]: (call) => sendUpTo(call, 3),
  });
  const request = await house.open();
  await house.workshop.work();
  const { [OWN_DATA]: own, ...theirs } = await house.kept(request);
  assert.deepEqual(theirs, { [ORDERS]: 1_234, [PAYMENTS]: 0, [MAILS]: 3 });
  assert.ok(own, "what the registration has left here");
  assert.deepEqual(await house.participants(request), {
    [ORDERS]: "RECEIVED",
    [PAYMENTS]: "RECEIVED",
    [MAILS]: "RECEIVED",
    [OWN_DATA]: "RECEIVED",
  });
  assert.match(JSON.stringify((await house.workshop.row(request)).snapshot.value), /compiling/);
});

Deno.test("a source that goes away keeps nobody waiting, and is not asked again for what it has delivered", async () => {
  await using house = await createHouse({
    [ORDERS]: async (call, nth) => {
      if (nth > 1) return await sendUpTo(call, 700);
      await sendUpTo(call, 620);
      await call.cancelled;
    },
    [PAYMENTS]: (call) => sendUpTo(call, 2),
    [MAILS]: (call) => call.fail("UNAVAILABLE", "not now"),
  });
  const request = await house.open();
  const orders = house.peer(ORDERS);
  const working = house.workshop.work();
  await eventually(async () => assert.equal((await house.kept(request))[ORDERS], 620), 20_000);
  await orders.goAway();
  await working;
  assert.deepEqual(await house.participants(request), {
    [ORDERS]: "RETRYING UNREACHABLE",
    [PAYMENTS]: "RECEIVED",
    [MAILS]: "RETRYING UNREACHABLE",
    [OWN_DATA]: "RECEIVED",
  });

  await orders.comeBack();
  await house.workshop.work(new Date(Date.now() + 3_600_000));
  assert.deepEqual(orders.resumedAfter, [undefined, cursorOf(620)]);
  assert.equal((await house.kept(request))[ORDERS], 700);
  assert.equal((await house.participants(request))[ORDERS], "RECEIVED");
});

Deno.test("what each misbehavior comes to stands at the source, and the other sources go on", async () => {
  const data = { email: "mina.keller@shop.example" };
  await using house = await createHouse({
    [ORDERS]: (call) => call.send(order(1, { data, category: "" })),
    [PAYMENTS]: async (call) => await call.cancelled,
  }, { limits: { firstRecordMs: 100 } });
  const request = await house.open();
  await house.workshop.work();
  assert.deepEqual(await house.participants(request), {
    [ORDERS]: "RETRYING INVALID_DATA",
    [PAYMENTS]: "RETRYING TIMEOUT",
    [MAILS]: "RETRYING NOT_CONFIGURED",
    [OWN_DATA]: "RECEIVED",
  });
});

Deno.test("a service that stops keeps what has arrived, and goes on behind it after its start", async () => {
  await using house = await createHouse({
    [ORDERS]: async (call, nth) => {
      await sendUpTo(call, nth === 1 ? 30 : 60);
      if (nth === 1) await call.cancelled;
    },
  });
  const request = await house.open();
  const stopping = new AbortController();
  const performing = house.perform(request, ORDERS, { signal: stopping.signal });
  await eventually(async () => assert.equal((await house.kept(request))[ORDERS], 30));
  stopping.abort();
  assert.equal(await performing, "more");
  assert.equal((await house.participants(request))[ORDERS], "ASKED", "it has not failed");

  assert.equal(await house.perform(request, ORDERS), "done");
  assert.deepEqual(house.peer(ORDERS).resumedAfter, [undefined, cursorOf(30)]);
  assert.equal((await house.kept(request))[ORDERS], 60);
});

Deno.test("a source that has told everything is not asked again", async () => {
  await using house = await createHouse({ [ORDERS]: (call) => sendUpTo(call, 5) });
  const request = await house.open();
  const crash = () => Promise.reject(new Error("crashed before it could tell"));
  await assert.rejects(house.perform(request, ORDERS, { actors: { send: crash } }), /crashed/);
  assert.equal((await house.participants(request))[ORDERS], "ASKED");

  await house.peer(ORDERS).goAway();
  assert.equal(await house.perform(request, ORDERS), "done");
  assert.equal((await house.participants(request))[ORDERS], "RECEIVED");
  assert.equal(await house.perform(request, ORDERS), "done", "and telling it again is nothing new");
  assert.deepEqual(house.peer(ORDERS).resumedAfter, [undefined]);
});

Deno.test("a request that is cancelled meanwhile is done with, and keeps nothing", async () => {
  const cancel = Promise.withResolvers<void>();
  await using house = await createHouse({
    [ORDERS]: async (call) => {
      await sendUpTo(call, 10);
      await cancel.promise;
      await call.send(order(11));
    },
  });
  const request = await house.open();
  const performing = house.perform(request, ORDERS);
  await eventually(async () => assert.equal((await house.kept(request))[ORDERS], 10));
  await house.workshop.tell(request, "cancel");
  cancel.resolve();
  assert.equal(await performing, "done");
  const parts = await house.world.admin`select part from gdpr_export_parts`;
  assert.deepEqual([...parts], []);
});

Deno.test("two that ask the same source at once keep each record once", async () => {
  await using house = await createHouse({ [ORDERS]: (call) => sendUpTo(call, 2_000) });
  const request = await house.open();
  const ends = await Promise.allSettled([house.perform(request, ORDERS), house.perform(request, ORDERS)]);
  for (const end of ends) {
    if (end.status === "rejected") assert.match(String(end.reason), /another caller has stored records/);
  }
  assert.equal(await house.perform(request, ORDERS), "done");
  assert.equal((await house.kept(request))[ORDERS], 2_000);
  assert.equal((await house.participants(request))[ORDERS], "RECEIVED");
});

Deno.test("a source is cut off at the most records of a request, however often it is asked", async () => {
  await using house = await createHouse({ [ORDERS]: (call) => sendUpTo(call, 10_000) }, {}, 1_200);
  const request = await house.open();
  await house.perform(request, ORDERS);
  assert.equal((await house.participants(request))[ORDERS], "RETRYING TOO_MUCH_DATA");
  await house.perform(request, ORDERS);
  assert.equal((await house.kept(request))[ORDERS], 1_000);
});

Deno.test("own data that break off leave nothing behind; the error is the worker's affair", async () => {
  await using house = await createHouse({});
  const request = await house.open();
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
  await assert.rejects(house.perform(request, OWN_DATA, {}, { collectOwn: broken }), /connection is lost/);
  assert.equal((await house.kept(request))[OWN_DATA], 0);
  assert.equal(await house.perform(request, OWN_DATA), "done");
  assert.equal((await house.participants(request))[OWN_DATA], "RECEIVED");
});

Deno.test("fifty thousand records of a peer are kept in bounded memory", async () => {
  await using peer = await startPeerProcess(50_000);
  await using house = await createHouse({});
  house.urls.set(ORDERS, peer.url);
  const request = await house.open();
  const start = heldMegabytes();
  let [batches, peak] = [0, start];
  const append: ExportStore["append"] = async (...args) => {
    await house.store.append(...args);
    if (++batches % 25 === 0) peak = Math.max(peak, heldMegabytes());
  };
  const store = { ...house.store, append };
  assert.equal(await house.perform(request, ORDERS, {}, { store }), "done");
  assert.ok(batches >= 100);
  assert.equal((await house.kept(request))[ORDERS], 50_000);
  assert.equal((await house.participants(request))[ORDERS], "RECEIVED");
  assert.ok(peak - start < 32, `${peak} MiB are held, ${start} MiB before, for 45 MiB of records`);
});

/** Sends what the caller has not yet, up to a number. */
async function sendUpTo(call: Call, last: number): Promise<void> {
  for (let number = Number(call.request.resumeAfter ?? 0) + 1; number <= last; number++) {
    await call.send(order(number));
  }
}

interface House extends AsyncDisposable {
  world: World;
  store: ExportStore;
  workshop: ReturnType<typeof createWorkshop>;
  urls: Map<string, URL>;
  peer(service: string): TestPeer;
  /** An access request whose sources are to be asked. */
  open(): Promise<ActorRef>;
  /** Performs the effect for one source, as the worker would. */
  perform(
    request: ActorRef,
    service: string,
    context?: Partial<EffectContext>,
    options?: Partial<CollectOptions>,
  ): ReturnType<Performer>;
  /** How many records of each source stand in the store. */
  kept(request: ActorRef): Promise<Record<string, number>>;
  /** The state of each participant, and why if something has failed. */
  participants(request: ActorRef): Promise<Record<string, string>>;
}

async function createHouse(
  answers: Record<string, Parameters<typeof startPeer>[0]>,
  options: PeerOptions = {},
  maxRecords?: number,
): Promise<House> {
  await using stack = new AsyncDisposableStack();
  const world = stack.use(await createWorld());
  const peers: Record<string, TestPeer> = {};
  for (const [service, answer] of Object.entries(answers)) {
    peers[service] = stack.use(await startPeer(answer));
  }
  const urls = new Map(Object.entries(peers).map(([service, { url }]) => [service, url]));
  const api = world.database.pool("customer_api");
  const work = world.database.pool("customer_worker");
  const store = createExportStore(
    api,
    await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]),
  );
  const tools = {
    client: stack.use(createPeers(urls, options)),
    store,
    collectOwn: ({ storeId, customerId }: { storeId: string; customerId: string }) =>
      collectOwnData(api, storeId, customerId),
    findRequest: ({ storeId, requestId }: { storeId: string; requestId: string }) =>
      api.begin("read only", async (tx) => {
        await enterStore(tx, storeId);
        return await findRequest(tx, storeId, requestId);
      }),
    ...(maxRecords === undefined ? {} : { maxRecords }),
  };
  const workshop = createWorkshop(world, {
    "source.collect": collectPerformer(tools),
    "export.compile": () => Promise.resolve("done"),
  });
  const running = stack.move();
  return {
    world,
    store,
    workshop,
    urls,
    peer: (service) => peers[service]!,
    async open() {
      const request = await workshop.open(await register(world), "ACCESS");
      const due = await claimTimers(work, new Date(Date.now() + 5), new Date(Date.now() + 60_000), 10);
      for (const timer of due) await world.actors.fire(timer);
      return request;
    },
    perform: ({ storeId, id }, service, context = {}, changed = {}) => {
      const effect = { storeId, actorId: id, params: { service }, traceparent: newTraceparent() } as unknown;
      const { signal } = new AbortController();
      const perform = collectPerformer({ ...tools, ...changed });
      return perform(effect as ClaimedEffect, { actors: world.actors, sql: api, signal, ...context });
    },
    async kept({ storeId, id }) {
      const counts = await Promise.all([...PARTICIPANTS, OWN_DATA].map(async (service) => {
        const { records } = await store.progress({ storeId, requestId: id }, service);
        return [service, records];
      }));
      return Object.fromEntries(counts);
    },
    async participants({ id }) {
      const rows = await world.admin`
        select service, state, last_error from gdpr_participants where request_id = ${id}`;
      return Object.fromEntries(
        rows.map(({ service, state, lastError }) => [
          service,
          state === "RETRYING" ? `${state} ${lastError}` : state,
        ]),
      );
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}
