/** Events of requests under test: a label, the machine's event, and the operation on real rows that causes it. */
import type { RequestContext, RequestEvent } from "../../actors/gdpr/machines/events.ts";
import { DomainError } from "../../domain/errors.ts";
import type { ActorRef } from "../../actors/commands.ts";
import { tell } from "../actors/world.ts";
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
/** `week`: the week in which a participant has to confirm is over. */
const PARTICIPANT_EVENTS = ["confirm", "waive", "retry", "ask", "week", "received", "failed"];

export function eventLabels(services: readonly string[], machine: string): EventLabel[] {
  return [
    "start",
    ...(isErasure(machine) ? ["start-with-open-access"] : []),
    "verified-0",
    "verified-1",
    ...COMMANDS,
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
    start: { type: timerName("start", machine), accessOpen: false },
    "start-with-open-access": { type: timerName("start", machine), accessOpen: true },
    "verified-0": { type: "verified", residue: 0 },
    "verified-1": { type: "verified", residue: 1 },
    "access-closed": { type: "access.closed" },
    "at-risk": { type: "clock.at_risk" },
    overdue: { type: "clock.overdue" },
    extend: { type: "extend", dueAt: context.receivedAt + 92 * DAY },
    retry: { type: "retry", ...(service && { service }) },
    confirm: { type: "participant.confirm", service },
    waive: { type: "waive", service },
    ask: { type: "ask", service },
    week: { type: timerName(label, machine) },
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
    case "start-with-open-access": {
      const waiting = isErasure(machine) ? "grace" : "recorded";
      return `xstate.after.UNTIL_START.${machine}.PENDING.${waiting}`;
    }
    case "ask":
      return label;
    case "week":
      return `xstate.after.${7 * DAY}.${machine}.IN_PROGRESS.awaiting_confirmations.${service}.asked`;
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
  if (label === "start") await closeAccess(world, customer, "grace");
  if (label === "start-with-open-access") await openAccess(world, customer);
  if (timer) return await fireTimer(world, request, timer);
  if (label === "access-closed" && await closeAccess(world, customer, "waiting_for_access")) return true;
  const { type, at: _, dueAt: __, ...fields } = eventOf(label, machine, NO_CONTEXT) as
    & RequestEvent
    & Record<string, unknown>;
  const reason = ["hold", "refuse", "extend", "waive"].includes(type) ? { reason: "required by law" } : {};
  return await isAccepted(tell(world, request, type, { ...fields, ...reason }));
}

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

/** Cancels the open access request of a customer whose erasure is in the given state. False: there is none. */
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
