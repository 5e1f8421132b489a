/** Sample store with five weeks of requests, in every situation that needs an officer. */
import type { ActorRef } from "../../actors/commands.ts";
import { DAY, openInspectedStore, sendOneRecord, type Store, type StoreOptions } from "./store.ts";

export interface SampleStore extends Store {
  requests: Record<
    | "overdue"
    | "atRisk"
    | "held"
    | "extended"
    | "refused"
    | "canceled"
    | "erased"
    | "waiting"
    | "blocking"
    | "erasing"
    | "collecting"
    | "exported"
    | "rectified"
    | "grace",
    ActorRef
  >;
  customers: { erasing: ActorRef; erased: ActorRef; active: ActorRef };
}

const [ORDERS, PAYMENTS, MESSAGES] = ["order-service", "payment-service", "communication-service"] as const;

export async function openSampleStore(options: StoreOptions = {}): Promise<SampleStore> {
  const silent: Record<string, Set<string>> = { [PAYMENTS]: new Set(), [MESSAGES]: new Set() };
  const store = await openInspectedStore({
    graceMs: 3 * DAY,
    ...options,
    answer: (service, call) =>
      silent[service]?.has(call.request.customerId)
        ? call.fail("UNAVAILABLE", "away")
        : sendOneRecord(service, call),
  });
  const { workUntil, register, open, send, confirm } = store;

  await workUntil(35);
  const overdueCustomer = await register();
  silent[PAYMENTS]!.add(overdueCustomer.id);
  const overdue = await open(overdueCustomer, "ACCESS");
  await workUntil(28);
  const atRisk = await open(await register(), "ERASURE");
  await workUntil(26);
  const extended = await open(await register(), "ERASURE");
  await workUntil(24.9);
  await confirm(atRisk, ORDERS, PAYMENTS);
  await workUntil(22);
  await confirm(extended, ORDERS);
  await send(extended, "extend", { reason: "Orders of 2019 have to be brought back from the archive first" });
  const held = await open(await register(), "ERASURE");
  await workUntil(20.5);
  await send(held, "hold", {
    ground: "LEGAL_CLAIM",
    reason: "A chargeback is being looked into; the bank answers by the 30th",
  });
  await workUntil(17);
  const refusedCustomer = await register();
  silent[MESSAGES]!.add(refusedCustomer.id);
  const refused = await open(refusedCustomer, "PORTABILITY");
  await workUntil(16.4);
  await send(refused, "refuse", {
    reason: "It could not be shown that the customer has asked for it",
    ground: "IDENTITY_NOT_PROVEN",
  });
  await workUntil(12);
  const rectified = await open(await register(), "RECTIFICATION", { corrections: { locale: "fr-CH" } });
  const erasedCustomer = await register();
  const erased = await open(erasedCustomer, "ERASURE");
  await workUntil(10);
  const canceled = await open(await register(), "ERASURE");
  await workUntil(8.9);
  await confirm(erased, ORDERS, PAYMENTS);
  await workUntil(8.2);
  await send(canceled, "cancel");
  await confirm(erased, MESSAGES);
  await workUntil(6.2);
  const erasingCustomer = await register();
  const erasing = await open(erasingCustomer, "ERASURE");
  await workUntil(5);
  const waitingCustomer = await register();
  silent[MESSAGES]!.add(waitingCustomer.id);
  const waiting = await open(waitingCustomer, "ERASURE");
  await workUntil(4.5);
  const blocking = await open(waitingCustomer, "ACCESS");
  await workUntil(3.1);
  await confirm(erasing, ORDERS);
  await workUntil(2.4);
  await confirm(erasing, MESSAGES);
  await workUntil(1.8);
  const grace = await open(await register(), "ERASURE");
  await workUntil(0.9);
  const active = await register();
  const exported = await open(active, "ACCESS");
  await workUntil(0.1);
  const collectingCustomer = await register();
  silent[PAYMENTS]!.add(collectingCustomer.id);
  const collecting = await open(collectingCustomer, "PORTABILITY");
  await workUntil(0);
  const requests = {
    overdue,
    atRisk,
    held,
    extended,
    refused,
    canceled,
    erased,
    waiting,
    blocking,
    erasing,
    collecting,
    exported,
    rectified,
    grace,
  };
  return { ...store, requests, customers: { erasing: erasingCustomer, erased: erasedCustomer, active } };
}
