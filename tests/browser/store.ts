/** Store with participants and a clock that the test sets, also for timers and effects. */
import { createRequestPerformers } from "../../actors/gdpr/mod.ts";
import type { ActorsOptions } from "../../actors/mod.ts";
import { createStage, type Stage } from "../../demo/stage.ts";
import { createPeers } from "../../rpc/peers.ts";
import { requestSettings } from "../actors/settings.ts";
import { startInspector, type TestInspector } from "../inspect/server.ts";
import { type Call, startPeer } from "../rpc/peer.ts";

export { DAY } from "../../demo/stage.ts";
export const PARTICIPANTS = ["order-service", "payment-service", "communication-service"];

export type Store = TestInspector & Stage;

export interface StoreOptions extends Partial<ActorsOptions> {
  development?: string;
  graceMs?: number;
  participants?: readonly string[];
  /** Answers calls for data, by default with one record. */
  answer?: (service: string, call: Call) => Promise<void> | void;
}

export async function openInspectedStore(
  { graceMs = 0, participants = PARTICIPANTS, answer = sendOneRecord, ...options }: StoreOptions = {},
): Promise<Store> {
  await using stack = new AsyncDisposableStack();
  const time = { now: new Date() };
  const clock = () => time.now;
  const inspector = stack.use(
    await startInspector({
      clock,
      requests: await requestSettings({ graceMs, participants, fetchWaitMs: 0 }),
      ...options,
    }),
  );
  const { world, keys, officer } = inspector;
  const servers = await Promise.all(
    PARTICIPANTS.map((service) => startPeer((call) => answer(service, call))),
  );
  for (const server of servers) stack.use(server);
  const urls = new Map(PARTICIPANTS.map((service, index) => [service, servers[index]!.url]));
  const peers = stack.use(createPeers(urls));
  const performers = createRequestPerformers(world.database.pool("customer_api"), peers, keys, { clock });
  const stage = createStage({
    storeId: world.storeId,
    actors: world.actors,
    time,
    performers,
    worker: world.database.pool("customer_worker"),
    api: world.database.pool("customer_api"),
    officer,
  });
  const running = stack.move();
  return { ...inspector, ...stage, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

/** Answers a call for data with one record. */
export async function sendOneRecord(service: string, { send }: Call): Promise<void> {
  await send({
    category: service.replace("-service", ""),
    purpose: "to deliver the order",
    retention: "ten years",
    recipients: [],
    data: { number: "10017" },
    cursor: "1",
  });
}
