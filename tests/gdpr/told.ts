/** Everything that a request can be told, or that can happen to it: as the machine's event, and done for real. */
import type { RequestContext, RequestEvent } from "../../actors/gdpr/machines/events.ts";
import { DomainError } from "../../domain/errors.ts";
import type { ActorRef } from "../../actors/commands.ts";
import { tell } from "../actors/world.ts";
import { type ClockedWorld, DAY, fireTimer } from "./clocked.ts";

/** A request under test. */
export interface Case {
  world: ClockedWorld;
  machine: string;
  customer: ActorRef;
  request: ActorRef;
}

/** What is told, and about which service if it is about one: `hold`, `confirm alpha`. */
export type Word = string;

export const CLOCK: readonly Word[] = ["at-risk", "overdue"];
const COMMANDS = ["cancel", "refuse", "hold", "release", "extend", "retry", "compiled", "access-closed"];
const OF_A_SERVICE = ["confirm", "waive", "retry", "ask", "week", "received", "failed"];

export function wordsAbout(services: readonly string[], machine: string): Word[] {
  return [
    "start",
    ...(isErasure(machine) ? ["start-beside-access"] : []),
    "verified-0",
    "verified-1",
    ...COMMANDS,
    ...CLOCK,
    ...services.flatMap((service) => OF_A_SERVICE.map((word) => `${word} ${service}`)),
  ];
}

const isErasure = (machine: string) => machine.startsWith("gdpr_erasure");

/** As the machine hears it. The time goes with the machine's own clock. */
export function eventOf(word: Word, machine: string, context: RequestContext): RequestEvent {
  const [type = "", service = ""] = word.split(" ");
  const at = {
    ON_TIME: context.receivedAt,
    AT_RISK: context.dueAt - 7 * DAY,
    OVERDUE: context.dueAt,
  }[context.clock];
  const events: Record<string, { type: string } & Record<string, unknown>> = {
    start: { type: timerOf("start", machine), accessOpen: false },
    "start-beside-access": { type: timerOf("start", machine), accessOpen: true },
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
    week: { type: timerOf(word, machine) },
    received: { type: "source.received", service },
    failed: { type: "source.failed", service, error: "UNREACHABLE" },
  };
  return { ...(events[type] ?? { type }), at } as RequestEvent;
}

/** The name of the timer that brings the word; undefined for one that somebody tells. */
export function timerOf(word: Word, machine: string): string {
  const [type, service] = word.split(" ");
  switch (type) {
    case "start":
    case "start-beside-access": {
      const waiting = isErasure(machine) ? "grace" : "recorded";
      return `xstate.after.UNTIL_START.${machine}.PENDING.${waiting}`;
    }
    case "ask":
      return word;
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

/** Does it to the rows. False: it was refused, or its timer is not there or was dropped. */
export async function happen(word: Word, { world, machine, customer, request }: Case): Promise<boolean> {
  const timer = timerOf(word, machine);
  if (word === "start") await closeAccess(world, customer, "grace");
  if (word === "start-beside-access") await openAccess(world, customer);
  if (timer) return await fireTimer(world, request, timer);
  if (word === "access-closed" && await closeAccess(world, customer, "waiting_for_access")) return true;
  const { type, at: _, dueAt: __, ...fields } = eventOf(word, machine, NO_CONTEXT) as
    & RequestEvent
    & Record<string, unknown>;
  const reason = ["hold", "refuse", "extend", "waive"].includes(type) ? { reason: "as the law says" } : {};
  return await accepted(tell(world, request, type, { ...fields, ...reason }));
}

async function accepted(telling: Promise<unknown>): Promise<boolean> {
  try {
    await telling;
    return true;
  } catch (error) {
    if (error instanceof DomainError && error.code === "REFUSED_IN_STATE") return false;
    throw error;
  }
}

const NO_CONTEXT = { clock: "ON_TIME", receivedAt: 0, dueAt: 0 } as RequestContext;

async function openAccess(world: ClockedWorld, { storeId, id: customerId }: ActorRef): Promise<void> {
  const ref = { kind: "gdpr_request" as const, storeId, id: crypto.randomUUID() };
  await accepted(tell(world, ref, "open", { customerId, right: "ACCESS" })); // not when the customer is gone
}

/** Ends the access request beside an erasure in some state. False: there is none. */
async function closeAccess(world: ClockedWorld, { storeId, id }: ActorRef, state: string): Promise<boolean> {
  const [open] = await world.admin`
    select a.request_id from gdpr_requests a
    join gdpr_requests e on e.customer_id = a.customer_id and e.type = 'ERASURE'
    where a.customer_id = ${id} and a.type = 'ACCESS' and a.status <> 'COMPLETED'
      and e.snapshot->'value'->>'PENDING' = ${state}`;
  return open !== undefined &&
    await accepted(tell(world, { kind: "gdpr_request", storeId, id: open.requestId }, "cancel"));
}
