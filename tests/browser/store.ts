/** Store with participants and a clock that the test sets, also for timers and effects. */
import { createRequestPerformers } from "../../actors/gdpr/mod.ts";
import type { ActorsOptions } from "../../actors/mod.ts";
import type { Principal } from "../../domain/principal.ts";
import type { ActorRef } from "../../actors/commands.ts";
import { createPeers } from "../../rpc/peers.ts";
import { requestSettings } from "../actors/settings.ts";
import { register, shopper, tell } from "../actors/world.ts";
import { createRequestFixture } from "../gdpr/request_fixture.ts";
import { startInspector, type TestInspector } from "../inspect/server.ts";
import { type Call, startPeer } from "../rpc/peer.ts";
import { HOME, SAMPLE_CUSTOMERS } from "./sample_customers.ts";

export const DAY = 24 * 60 * 60_000;
export const PARTICIPANTS = ["order-service", "payment-service", "communication-service"];

export interface Store extends TestInspector {
  /** Sets the clock to `daysAgo`, 0 for now, and runs all work that was due until then, each at its time. */
  workUntil(daysAgo: number): Promise<void>;
  /** Registers the next sample customer. */
  register(): Promise<ActorRef>;
  /** Opens a request as the customer. */
  open(customer: ActorRef, right: string, fields?: Record<string, unknown>): Promise<ActorRef>;
  /** Sends a command, by default as the officer. */
  send(request: ActorRef, type: string, fields?: Record<string, unknown>, by?: Principal): Promise<void>;
  /** Confirms an erasure for each of the participants. */
  confirm(request: ActorRef, ...participants: string[]): Promise<void>;
}

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
  let now = new Date();
  const clock = () => now;
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
  const workshop = createRequestFixture(world, performers);
  const customers = SAMPLE_CUSTOMERS.values();
  const running = stack.move();

  async function workUntil(daysAgo: number): Promise<void> {
    const end = new Date(Date.now() - daysAgo * DAY);
    for (;;) {
      await workshop.work(now);
      const [next] = await world.admin`select min(due_at) as due_at from timers where due_at <= ${end}`;
      now = next?.dueAt ?? end;
      if (!next?.dueAt) return void await workshop.work(now);
    }
  }
  const send: Store["send"] = async (request, type, fields = {}, by = officer) =>
    void await tell(world, request, type, fields, { by });
  return {
    ...inspector,
    workUntil,
    async register() {
      const customer = await register(world, { ...customers.next().value, locale: "de-CH" });
      await tell(world, customer, "address.add", HOME);
      return customer;
    },
    open: (customer, right, fields = {}) => workshop.open(customer, right, fields, { by: shopper(customer) }),
    send,
    async confirm(request, ...participants) {
      for (const service of participants) {
        await send(request, "participant.confirm", { service, evidence: EVIDENCE[service] }, world.system);
      }
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

const EVIDENCE: Record<string, string> = {
  "order-service": "4 orders, 1 return anonymized",
  "payment-service": "4 payments, 1 saved card anonymized",
  "communication-service": "12 emails, 1 newsletter subscription anonymized",
};

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
