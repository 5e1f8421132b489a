/** A store with a past: what happens in it happens at the time that the test says, timers and work included. */
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
import { HOME, PEOPLE } from "./people.ts";

export const DAY = 24 * 60 * 60_000;
export const SERVICES = ["order-service", "payment-service", "communication-service"];

export interface Store extends TestInspector {
  /** Lives through everything that is due until so many days ago; 0 for now. */
  until(daysAgo: number): Promise<void>;
  /** The next of the people, as a customer. */
  join(): Promise<ActorRef>;
  /** As the customer does it. */
  open(customer: ActorRef, right: string, fields?: Record<string, unknown>): Promise<ActorRef>;
  tell(request: ActorRef, type: string, fields?: Record<string, unknown>, by?: Principal): Promise<void>;
  /** As a participant tells it. */
  confirm(request: ActorRef, ...services: string[]): Promise<void>;
}

export interface StoreOptions extends Partial<ActorsOptions> {
  development?: string;
  graceMs?: number;
  participants?: readonly string[];
  /** What the services answer that are asked for data. */
  answer?: (service: string, call: Call) => Promise<void> | void;
}

export async function openStore(
  { graceMs = 0, participants = SERVICES, answer = tellOne, ...options }: StoreOptions = {},
): Promise<Store> {
  await using stack = new AsyncDisposableStack();
  let now = new Date();
  const clock = () => now;
  const inspector = stack.use(
    await startInspector({ clock, requests: await requestSettings({ graceMs, participants }), ...options }),
  );
  const { world, keys, officer } = inspector;
  const servers = await Promise.all(SERVICES.map((service) => startPeer((call) => answer(service, call))));
  for (const server of servers) stack.use(server);
  const urls = new Map(SERVICES.map((service, at) => [service, servers[at]!.url]));
  const peers = stack.use(createPeers(urls));
  const performers = createRequestPerformers(world.database.pool("customer_api"), peers, keys, clock);
  const workshop = createRequestFixture(world, performers);
  const people = PEOPLE.values();
  const running = stack.move();

  async function until(daysAgo: number): Promise<void> {
    const then = new Date(Date.now() - daysAgo * DAY);
    for (;;) {
      await workshop.work(now);
      const [next] = await world.admin`select min(due_at) as due_at from timers where due_at <= ${then}`;
      now = next?.dueAt ?? then;
      if (!next?.dueAt) return void await workshop.work(now);
    }
  }
  const say: Store["tell"] = async (request, type, fields = {}, by = officer) =>
    void await tell(world, request, type, fields, { by });
  return {
    ...inspector,
    until,
    async join() {
      const customer = await register(world, { ...people.next().value, locale: "de-CH" });
      await tell(world, customer, "address.add", HOME);
      return customer;
    },
    open: (customer, right, fields = {}) => workshop.open(customer, right, fields, { by: shopper(customer) }),
    tell: say,
    async confirm(request, ...services) {
      for (const service of services) {
        await say(request, "participant.confirm", { service, evidence: EVIDENCE[service] }, world.system);
      }
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

const EVIDENCE: Record<string, string> = {
  "order-service": "4 orders, 1 return anonymised",
  "payment-service": "4 payments, 1 saved card anonymised",
  "communication-service": "12 emails, 1 newsletter subscription anonymised",
};

/** A service that answers at once. */
export async function tellOne(service: string, { send }: Call): Promise<void> {
  await send({
    category: service.replace("-service", ""),
    purpose: "to deliver what was ordered",
    retention: "ten years",
    recipients: [],
    data: { number: "10017" },
    cursor: "1",
  });
}
