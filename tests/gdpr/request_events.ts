/** Events of requests under test: a label, the machine's event, and the operation on real rows that causes it. */
import type { RequestContext, RequestEvent } from "../../actors/gdpr/machines/events.ts";
import { DomainError, hasCode } from "../../domain/errors.ts";
import type { ActorRef } from "../../actors/commands.ts";
import type { Principal } from "../../domain/principal.ts";
import { shopper, tell } from "../actors/world.ts";
import { DAY, fireTimer, type ManualClockWorld } from "./manual_clock.ts";

/** A request under test. */
export interface RequestUnderTest {
  world: ManualClockWorld;
  machine: string;
  customer: ActorRef;
  request: ActorRef;
}

/** An event and, if it concerns one, its participant: `hold`, `confirm orders`. */
export type EventLabel = string;

const CLOCK: readonly EventLabel[] = ["at-risk", "overdue"];
const COMMANDS = ["cancel", "refuse", "hold", "release", "extend", "retry", "compiled", "access-closed"];
/** Events about legal holds on the customer. */
const HOLDS = ["start-while-held", "customer-held", "customer-free", "release-while-held"];
const DOWNLOADS = ["fetched", "destroyed", "expire", "download-settled", "proceed", "fetch-end"];
/** Checks of the identity. */
const IDENTITY = [
  "identity-verify",
  "identity-fail",
  "information-request",
  "information-receive",
  "information-expire",
  "subject-erased",
];
/** Decisions about a proposal, of the person who has proposed it and of a second person. */
const PROPOSALS = ["confirm", "reject", "withdraw"].flatMap((type) => [`own-${type}`, `second-${type}`]);
/**
 * `week`: the week in which a participant has to confirm has passed. `waive`: by one person. `propose`: the same command
 * with four eyes.
 */
const PARTICIPANT_EVENTS = [
  "confirm",
  "waive",
  "propose",
  ...PROPOSALS,
  "retry",
  "ask",
  "week",
  "received",
  "failed",
];
/** IDs of two staff members. */
export const FIRST = "a1a1a1a1-0000-4000-8000-000000000001";
export const SECOND = "a1a1a1a1-0000-4000-8000-000000000002";

export function eventLabels(services: readonly string[], machine: string): EventLabel[] {
  return [
    "start",
    ...(isErasure(machine) ? ["start-with-open-access", "start-with-unfetched", ...HOLDS] : []),
    "verified-0",
    "verified-1",
    ...COMMANDS,
    ...DOWNLOADS,
    ...IDENTITY,
    ...PROPOSALS,
    "subject-request",
    ...CLOCK,
    ...services.flatMap((service) => PARTICIPANT_EVENTS.map((event) => `${event} ${service}`)),
  ];
}

const isErasure = (machine: string) => machine.startsWith("gdpr_erasure");

/** The machine's event. Its time fits the state of the request's clock. */
export function eventOf(label: EventLabel, machine: string, context: RequestContext): RequestEvent {
  const [type = "", service = ""] = label.split(" ");
  const at = {
    ON_TIME: context.receivedAt,
    AT_RISK: context.dueAt - 7 * DAY,
    OVERDUE: context.dueAt,
  }[context.clock];
  const events: Record<string, { type: string } & Record<string, unknown>> = {
    start: { type: timerName("start", machine), customerHeld: false, accessOpen: false, fetchUntil: null },
    "start-while-held": {
      type: timerName("start", machine),
      customerHeld: true,
      reopened: true,
      accessOpen: false,
      fetchUntil: null,
    },
    "customer-held": { type: "customer.changed", customerHeld: true, reopened: true },
    "customer-free": { type: "customer.changed", customerHeld: false, reopened: true },
    "release-while-held": { type: "release", customerHeld: true },
    "start-with-open-access": { type: timerName("start", machine), accessOpen: true, fetchUntil: null },
    "start-with-unfetched": {
      type: timerName("start", machine),
      accessOpen: false,
      fetchUntil: at + 7 * DAY,
    },
    "identity-verify": { type: "identity.verify" },
    "identity-fail": { type: "identity.fail" },
    "information-request": { type: "information.request" },
    "information-receive": { type: "information.receive", dueAt: context.dueAt + DAY, pausedDays: 1 },
    "information-expire": { type: timerName("information-expire", machine) },
    "subject-erased": { type: "subject.erased" },
    "fetch-end": { type: timerName("fetch-end", machine) },
    expire: { type: timerName("expire", machine) },
    compiled: { type: "compiled", expiresAt: at },
    fetched: { type: "export.fetched" },
    handed: { type: "hand_over" },
    destroyed: { type: "export.destroyed" },
    "download-settled": { type: "download.settled" },
    "subject-request": { type: "subject.request" },
    propose: { type: "waive", service, by: FIRST, secondPerson: isErasure(machine) },
    ...Object.fromEntries(
      PROPOSALS.map((label) => {
        const [who, type = ""] = label.split("-");
        return [label, { type, ...(service && { service }), by: who === "own" ? FIRST : SECOND }];
      }),
    ),
    "verified-0": { type: "verified", residue: 0 },
    "verified-1": { type: "verified", residue: 1 },
    "access-closed": { type: "access.closed" },
    "at-risk": { type: "clock.at_risk" },
    overdue: { type: "clock.overdue" },
    extend: { type: "extend", dueAt: context.receivedAt + 92 * DAY },
    retry: { type: "retry", ...(service && { service }) },
    confirm: { type: "participant.confirm", service },
    waive: { type: "waive", service, by: FIRST, secondPerson: false },
    ask: { type: "ask", service },
    week: { type: "participant.overdue", service },
    received: { type: "source.received", service },
    failed: { type: "source.failed", service, error: "UNREACHABLE" },
  };
  return { ...(events[type] ?? { type }), at } as RequestEvent;
}

/** The name of the timer that sends the event; empty for a command. */
export function timerName(label: EventLabel, machine: string): string {
  const [type, service] = label.split(" ");
  switch (type) {
    case "start":
    case "start-while-held":
    case "start-with-open-access":
    case "start-with-unfetched": {
      const waiting = isErasure(machine) ? "grace" : "recorded";
      return `xstate.after.UNTIL_START.${machine}.PENDING.${waiting}`;
    }
    case "ask":
      return label;
    case "week":
      return `overdue ${service}`;
    case "fetch-end":
      return `xstate.after.UNTIL_FETCH_WAIT_ENDS.${machine}.PENDING.waiting_for_download`;
    case "information-expire":
      return `xstate.after.UNTIL_INFORMATION_EXPIRES.${machine}.PENDING.waiting_for_information`;
    case "expire":
      return `xstate.after.UNTIL_EXPIRY.${machine}.COMPLETED.available`;
    case "at-risk":
      return "clock.at_risk";
    case "overdue":
      return "clock.overdue";
    default:
      return "";
  }
}

/** Causes the event on real rows. Returns false if it was refused, or its timer is missing or was dropped. */
export async function applyEvent(
  label: EventLabel,
  { world, machine, customer, request }: RequestUnderTest,
): Promise<boolean> {
  const timer = timerName(label, machine);
  if (HELD.includes(label)) await placeHold(world, customer);
  if (FREE.includes(label)) await liftHolds(world, customer);
  if (label === "start") {
    await closeAccess(world, customer, "grace");
    await fetchDocuments(world, customer, "grace");
  }
  if (label === "start-with-open-access") await openAccess(world, customer);
  if (label === "start-with-unfetched") await completeAccess(world, customer);
  if (timer) return await fireTimer(world, request, timer);
  if (label === "access-closed" && await closeAccess(world, customer, "waiting_for_access")) return true;
  if (label === "download-settled" && await fetchDocuments(world, customer, "waiting_for_download")) {
    return true;
  }
  const { type, service, error, residue, by } = eventOf(label, machine, NO_CONTEXT) as
    & RequestEvent
    & Record<string, unknown>;
  if (type === "waive") world.settings.fourEyes = label.startsWith("propose");
  const reason = {
    ...(WITH_REASON.includes(type) && { reason: "required by law" }),
    ...((type === "refuse" || (type === "reject" && service === undefined)) && { ground: "NO_RIGHT" }),
    ...(type === "hold" && { ground: "LEGAL_CLAIM" }),
  };
  const check = type === "identity.verify" ? IDENTIFIED.identity : {};
  const fields = Object.entries({ service, error, residue }).filter(([, value]) => value !== undefined);
  const sender = BY_SUBJECT.includes(type)
    ? { by: shopper(customer) }
    : by === undefined
    ? {}
    : { by: staff(world, by as string) };
  return await isAccepted(
    tell(world, request, type, { ...Object.fromEntries(fields), ...reason, ...check }, sender),
  );
}

/** Events during a legal hold on the customer, and events after the last one. */
const HELD = ["start-while-held", "customer-held", "release-while-held"];
const FREE = ["start", "start-with-open-access", "start-with-unfetched", "customer-free", "release"];

async function placeHold(world: ManualClockWorld, customer: ActorRef): Promise<void> {
  await isAccepted(tell(world, customer, "hold.place", { ground: "LEGAL_CLAIM" }));
}

async function liftHolds(world: ManualClockWorld, customer: ActorRef): Promise<void> {
  const holds = await world.admin`
    select hold_id from customer_holds where customer_id = ${customer.id} and ended_at is null`;
  for (const { holdId } of holds) {
    const lifting = tell(world, customer, "hold.lift", { holdId });
    await lifting.catch((error) => {
      if (!hasCode(error, "NOT_FOUND")) throw error; // a concurrent event has lifted it
    });
  }
}

const WITH_REASON = ["hold", "refuse", "extend", "waive", "reject", "identity.fail", "information.request"];
/** Field of a request that staff open after they have checked the identity. */
export const IDENTIFIED = { identity: { method: "ID_DOCUMENT" } };
const BY_SUBJECT = ["proceed", "subject.request", "export.fetched"];

/** A privacy officer with the given ID. */
export const staff = (world: ManualClockWorld, id: string): Principal => ({ ...world.officer, id });

async function isAccepted(sending: Promise<unknown>): Promise<boolean> {
  try {
    await sending;
    return true;
  } catch (error) {
    if (error instanceof DomainError && error.code === "REFUSED_IN_STATE") return false;
    throw error;
  }
}

const NO_CONTEXT = { clock: "ON_TIME", receivedAt: 0, dueAt: 0 } as RequestContext;

async function openAccess(world: ManualClockWorld, { storeId, id: customerId }: ActorRef): Promise<void> {
  const ref = { kind: "gdpr_request" as const, storeId, id: crypto.randomUUID() };
  await isAccepted(tell(world, ref, "open", { customerId, right: "ACCESS" })); // refused if the customer is erased
}

/** Cancels the open access request of a customer whose erasure is in the given state. False: no such request exists. */
async function closeAccess(
  world: ManualClockWorld,
  { storeId, id }: ActorRef,
  state: string,
): Promise<boolean> {
  const [open] = await world.admin`
    select a.request_id from gdpr_requests a
    join gdpr_requests e on e.customer_id = a.customer_id and e.type = 'ERASURE'
    where a.customer_id = ${id} and a.type = 'ACCESS' and a.status <> 'COMPLETED'
      and e.snapshot->'value'->>'PENDING' = ${state}`;
  return open !== undefined &&
    await isAccepted(tell(world, { kind: "gdpr_request", storeId, id: open.requestId }, "cancel"));
}

/**
 * Completes an access request of a customer whose erasure is in its grace period, with a document that expires after a
 * week.
 */
async function completeAccess(world: ManualClockWorld, customer: ActorRef): Promise<void> {
  const [erasure] = await world.admin`
    select snapshot->'value'->>'PENDING' as state from gdpr_requests
    where customer_id = ${customer.id} and type = 'ERASURE' order by created_at desc limit 1`;
  if (erasure?.state !== "grace") return;
  await closeAccess(world, customer, "grace");
  // A concurrent event may have opened a request, or have moved this one on.
  await createUnfetchedExport(world, customer).catch((error) => {
    if (!(error instanceof DomainError)) throw error;
  });
}

/** Completes an access request, with a document that expires after a week. */
export async function createUnfetchedExport(world: ManualClockWorld, customer: ActorRef): Promise<ActorRef> {
  const { storeId, id: customerId } = customer;
  const access = { kind: "gdpr_request" as const, storeId, id: crypto.randomUUID() };
  await tell(world, access, "open", { customerId, right: "ACCESS" });
  await fireTimer(world, access, timerName("start", "gdpr_access@1"));
  for (const service of ["customer-service", ...world.settings.participants]) {
    await tell(world, access, "source.received", { service });
  }
  const expiresAt = new Date(world.now.getTime() + 7 * DAY);
  await world.admin`
    insert into gdpr_export_parts (store_id, request_id, part, media_type, complete, sha256, expires_at)
    values (${storeId}, ${access.id}, 'manifest.json', 'application/json', true, ${new Uint8Array(
    32,
  )}, ${expiresAt})`;
  await tell(world, access, "compiled");
  return access;
}

/** Fetches all documents of a customer whose erasure is in the given state. False: there are none. */
async function fetchDocuments(world: ManualClockWorld, customer: ActorRef, state: string): Promise<boolean> {
  const unfetched = await world.admin`
    select a.request_id from gdpr_requests a
    join gdpr_requests e on e.customer_id = a.customer_id and e.type = 'ERASURE'
    where a.customer_id = ${customer.id} and a.snapshot->'value'->>'COMPLETED' = 'available'
      and e.snapshot->'value'->>'PENDING' = ${state}`;
  let accepted = false;
  for (const { requestId } of unfetched) {
    const access = { kind: "gdpr_request" as const, storeId: customer.storeId, id: requestId };
    accepted = await isAccepted(tell(world, access, "export.fetched", {}, { by: shopper(customer) }));
  }
  return accepted;
}
