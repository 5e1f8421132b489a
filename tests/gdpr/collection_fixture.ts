/** A world with participants over gRPC, whose records the collection effect stores in the real export store. */
import { newTraceparent } from "../../lib/trace_context.ts";
import type { ActorRef } from "../../actors/commands.ts";
import { type CollectOptions, collectPerformer } from "../../actors/gdpr/effects/collect.ts";
import { collectOwnData, type OwnDataRequest } from "../../actors/gdpr/effects/own_data.ts";
import { createExportStore } from "../../actors/gdpr/exports/store.ts";
import { type ExportStore, OWN_DATA } from "../../actors/gdpr/types.ts";
import type { EffectContext, Performer } from "../../actors/runtime/effects.ts";
import { enterStore } from "../../db/connect.ts";
import type { ClaimedEffect } from "../../db/effects.ts";
import { findRequest } from "../../db/gdpr_requests.ts";
import { claimTimers } from "../../db/timers.ts";
import { createPeers, type PeerOptions } from "../../rpc/peers.ts";
import { PARTICIPANTS } from "../actors/settings.ts";
import { createWorld, register, type World } from "../actors/world.ts";
import { startPeer, type TestPeer } from "../rpc/peer.ts";
import { createRequestFixture } from "./request_fixture.ts";

export interface CollectionFixture extends AsyncDisposable {
  world: World;
  store: ExportStore;
  requests: ReturnType<typeof createRequestFixture>;
  urls: Map<string, URL>;
  peer(service: string): TestPeer;
  /** Opens an access request and starts its collection. */
  open(customer?: ActorRef): Promise<ActorRef>;
  /** Performs the collection effect of one participant, as the worker does. */
  perform(
    request: ActorRef,
    service: string,
    context?: Partial<EffectContext>,
    options?: Partial<CollectOptions>,
  ): ReturnType<Performer>;
  /** Number of stored records of each participant. */
  recordCounts(request: ActorRef): Promise<Record<string, number>>;
  /** State of each participant, with the error code if it is retried. */
  participants(request: ActorRef): Promise<Record<string, string>>;
}

export async function createCollectionFixture(
  answers: Record<string, Parameters<typeof startPeer>[0]>,
  options: PeerOptions = {},
  maxRecords?: number,
): Promise<CollectionFixture> {
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
    collectOwn: (request: OwnDataRequest) =>
      collectOwnData(api, request, { readContact: () => Promise.resolve(undefined) }),
    findRequest: ({ storeId, requestId }: { storeId: string; requestId: string }) =>
      api.begin("read only", async (tx) => {
        await enterStore(tx, storeId);
        return await findRequest(tx, storeId, requestId);
      }),
    findEmailHashes: () => Promise.resolve([]),
    ...(maxRecords === undefined ? {} : { maxRecords }),
  };
  const requests = createRequestFixture(world, {
    "source.collect": collectPerformer(tools),
    "export.compile": () => Promise.resolve("done"),
  });
  const resources = stack.move();
  return {
    world,
    store,
    requests,
    urls,
    peer: (service) => peers[service]!,
    async open(customer) {
      const request = await requests.open(customer ?? await register(world), "ACCESS");
      const due = await claimTimers(work, {
        now: new Date(Date.now() + 5),
        claimedUntil: new Date(Date.now() + 60_000),
        limit: 10,
      });
      for (const timer of due) await world.actors.fire(timer);
      return request;
    },
    perform: ({ storeId, id }, service, context = {}, changed = {}) => {
      const effect = { storeId, actorId: id, params: { service }, traceparent: newTraceparent() } as unknown;
      const { signal } = new AbortController();
      const perform = collectPerformer({ ...tools, ...changed });
      return perform(effect as ClaimedEffect, { actors: world.actors, sql: api, signal, ...context });
    },
    async recordCounts({ storeId, id }) {
      const counts = await Promise.all([...PARTICIPANTS, OWN_DATA].map(async (service) => {
        const { records } = await store.readProgressAndProlong({ storeId, requestId: id }, service);
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
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}
