/** Sample story of a store: five weeks of requests, in every situation that needs an officer. */
import type { ActorRef } from "../actors/commands.ts";
import { SAMPLE_GUESTS } from "./sample_customers.ts";
import { DAY, type Stage } from "./stage.ts";

export interface Story {
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
    | "grace"
    | "guestErased"
    | "represented"
    | "informing"
    | "guestIdentifying",
    ActorRef
  >;
  customers: { erasing: ActorRef; erased: ActorRef; active: ActorRef };
}

const [ORDERS, PAYMENTS, MESSAGES] = ["order-service", "payment-service", "communication-service"] as const;
const ALL = [ORDERS, PAYMENTS, MESSAGES];

/** How many days ago the story starts. */
export const STORY_DAYS = 35;

/** How long a customer can cancel an erasure in the story, in milliseconds. */
export const STORY_GRACE_MS = 3 * DAY;

/** The services of `isSilent` do not answer. */
export async function playStory(stage: Stage): Promise<Story> {
  const { workUntil, register, open, enter, send, confirm } = stage;

  await workUntil(STORY_DAYS);
  const overdue = await open(await register(), "ACCESS");
  await workUntil(28);
  const atRisk = await open(await register(), "PORTABILITY");
  await workUntil(26);
  const extended = await open(await register(), "ACCESS");
  await workUntil(22);
  await send(extended, "extend", { reason: "Orders of 2019 have to be brought back from the archive first" });
  const held = await open(await register(), "ERASURE");
  await workUntil(20.5);
  await send(held, "hold", {
    ground: "LEGAL_CLAIM",
    reason: "A chargeback is being looked into; the bank answers by the 30th",
  });
  await workUntil(19);
  const guestErased = await enter({
    subject: SAMPLE_GUESTS.erased,
    right: "ERASURE",
    channel: "LETTER",
    note: "Letter of two pages, in the folder of the store",
    identity: { method: "EMAIL_REPLY" },
  });
  await workUntil(17);
  const refused = await open(await register(), "PORTABILITY");
  await workUntil(16.4);
  await send(refused, "refuse", {
    reason: "It could not be shown that the customer has asked for it",
    ground: "IDENTITY_NOT_PROVEN",
  });
  await workUntil(15.99);
  await confirm(guestErased, ...ALL);
  await workUntil(12);
  const rectified = await open(await register(), "RECTIFICATION", { corrections: { locale: "fr-CH" } });
  const erasedCustomer = await register();
  const erased = await open(erasedCustomer, "ERASURE");
  await workUntil(10);
  const canceled = await open(await register(), "ERASURE");
  await workUntil(8.99);
  await confirm(erased, ORDERS, PAYMENTS);
  await workUntil(8.95);
  await send(canceled, "cancel");
  await confirm(erased, MESSAGES);
  await workUntil(7.3);
  const representedCustomer = await register();
  const represented = await enter({
    customerId: representedCustomer.id,
    right: "ACCESS",
    channel: "LETTER",
    representative: { ground: "AUTHORIZATION", name: "Law office Tannegger", reference: "Letter TA-118" },
    identity: { method: "ID_DOCUMENT" },
  });
  await workUntil(6.2);
  await send(represented, "hand_over", { note: "Sent to the law office by registered mail" });
  const erasingCustomer = await register();
  const erasing = await open(erasingCustomer, "ERASURE");
  await workUntil(5);
  const waitingCustomer = await register();
  const waiting = await open(waitingCustomer, "ERASURE");
  await workUntil(4.5);
  const blocking = await open(waitingCustomer, "ACCESS");
  const informing = await enter({
    customerId: (await register()).id,
    right: "ACCESS",
    channel: "PHONE",
    note: "The caller named the last order, but not its address",
  });
  await workUntil(4.1);
  await send(informing, "information.request", { reason: "Which email address did you order with?" });
  await workUntil(3.19);
  await confirm(erasing, ORDERS);
  await workUntil(3.15);
  await confirm(erasing, MESSAGES);
  await workUntil(1.8);
  const grace = await open(await register(), "ERASURE");
  const guestIdentifying = await enter({
    subject: SAMPLE_GUESTS.asking,
    right: "ACCESS",
    channel: "EMAIL",
  });
  await workUntil(0.9);
  const active = await register();
  const exported = await open(active, "ACCESS");
  await workUntil(0.1);
  const collecting = await open(await register(), "PORTABILITY");
  await workUntil(0);
  return {
    requests: {
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
      guestErased,
      represented,
      informing,
      guestIdentifying,
    },
    customers: { erasing: erasingCustomer, erased: erasedCustomer, active },
  };
}
