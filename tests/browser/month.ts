/** Five weeks of a store in which everything has happened that an officer may have to look at. */
import type { ActorRef } from "../../actors/commands.ts";
import { DAY, openStore, type Store, type StoreOptions, tellOne } from "./store.ts";

export interface Month extends Store {
  requests: Record<
    | "overdue"
    | "atRisk"
    | "held"
    | "extended"
    | "refused"
    | "cancelled"
    | "erased"
    | "waiting"
    | "beside"
    | "erasing"
    | "collecting"
    | "exported"
    | "rectified"
    | "grace",
    ActorRef
  >;
  /** Whose erasure is under way, and whose is done. */
  customers: { erasing: ActorRef; erased: ActorRef; active: ActorRef };
}

const [ORDERS, PAYMENTS, MESSAGES] = ["order-service", "payment-service", "communication-service"] as const;

export async function livedMonth(options: StoreOptions = {}): Promise<Month> {
  const silent: Record<string, Set<string>> = { [PAYMENTS]: new Set(), [MESSAGES]: new Set() };
  const store = await openStore({
    graceMs: 3 * DAY,
    ...options,
    answer: (service, call) =>
      silent[service]?.has(call.request.customerId)
        ? call.fail("UNAVAILABLE", "away")
        : tellOne(service, call),
  });
  const { until, join, open, tell, confirm } = store;

  await until(35);
  const overdueOf = await join();
  silent[PAYMENTS]!.add(overdueOf.id);
  const overdue = await open(overdueOf, "ACCESS");
  await until(28);
  const atRisk = await open(await join(), "ERASURE");
  await until(26);
  const extended = await open(await join(), "ERASURE");
  await until(24.9);
  await confirm(atRisk, ORDERS, PAYMENTS);
  await until(22);
  await confirm(extended, ORDERS);
  await tell(extended, "extend", { reason: "Orders of 2019 have to be brought back from the archive first" });
  const held = await open(await join(), "ERASURE");
  await until(20.5);
  await tell(held, "hold", { reason: "A chargeback is being looked into; the bank answers by the 30th" });
  await until(17);
  const refusedOf = await join();
  silent[MESSAGES]!.add(refusedOf.id);
  const refused = await open(refusedOf, "PORTABILITY");
  await until(16.4);
  await tell(refused, "refuse", { reason: "It could not be shown that the customer has asked for it" });
  await until(12);
  const rectified = await open(await join(), "RECTIFICATION", { corrections: { locale: "fr-CH" } });
  const erasedOf = await join();
  const erased = await open(erasedOf, "ERASURE");
  await until(10);
  const cancelled = await open(await join(), "ERASURE");
  await until(8.9);
  await confirm(erased, ORDERS, PAYMENTS);
  await until(8.2);
  await tell(cancelled, "cancel");
  await confirm(erased, MESSAGES);
  await until(6.2);
  const erasingOf = await join();
  const erasing = await open(erasingOf, "ERASURE");
  await until(5);
  const waitingOf = await join();
  silent[MESSAGES]!.add(waitingOf.id);
  const waiting = await open(waitingOf, "ERASURE");
  await until(4.5);
  const beside = await open(waitingOf, "ACCESS");
  await until(3.1);
  await confirm(erasing, ORDERS);
  await until(2.4);
  await confirm(erasing, MESSAGES);
  await until(1.8);
  const grace = await open(await join(), "ERASURE");
  await until(0.9);
  const active = await join();
  const exported = await open(active, "ACCESS");
  await until(0.1);
  const collectingOf = await join();
  silent[PAYMENTS]!.add(collectingOf.id);
  const collecting = await open(collectingOf, "PORTABILITY");
  await until(0);
  const requests = {
    overdue,
    atRisk,
    held,
    extended,
    refused,
    cancelled,
    erased,
    waiting,
    beside,
    erasing,
    collecting,
    exported,
    rectified,
    grace,
  };
  return { ...store, requests, customers: { erasing: erasingOf, erased: erasedOf, active } };
}
