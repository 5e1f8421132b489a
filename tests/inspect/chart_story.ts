/** The machines that charts are drawn of, and journals as the runtime would write them. */
import {
  type AnyMachineSnapshot,
  type AnyStateMachine,
  type EventObject,
  initialTransition,
  transition,
} from "xstate";
import { publicEvent } from "../../actors/gdpr/requests/public_events.ts";
import * as runtime from "../../actors/runtime/transitions.ts";
import { customerMachine } from "../../actors/customers/customer_machine.ts";
import { machineOf } from "../../actors/gdpr/requests/snapshot.ts";
import { stateName } from "../../actors/runtime/recorded_event.ts";
import { shopperGroupMachine } from "../../actors/customers/shopper_group_machine.ts";
import type { JournalEntry } from "../../inspect/chart/mod.tsx";
import { eventLabels, eventOf } from "../gdpr/request_events.ts";

export interface Subject {
  title: string;
  machine: AnyStateMachine;
  services: readonly string[];
}

const THREE = ["order-service", "payment-service", "communication-service"];
export const TWENTY = Array.from({ length: 20 }, (_, index) => `service-${index + 1}`);

export function request(name: string, services: readonly string[]): Subject {
  return { title: `${name} with ${services.length}`, machine: machineOf(name, services), services };
}

export const SUBJECTS: readonly Subject[] = [
  request("gdpr_erasure@1", []),
  request("gdpr_erasure@1", THREE),
  request("gdpr_erasure@1", TWENTY),
  request("gdpr_access@1", ["customer-service", ...THREE]),
  request("gdpr_access@1", ["customer-service"]),
  request("gdpr_portability@1", ["customer-service", ...TWENTY]),
  request("gdpr_rectification@1", []),
  { title: "customer", machine: customerMachine, services: [] },
  { title: "shopper group", machine: shopperGroupMachine, services: [] },
];

export interface Step {
  before: AnyMachineSnapshot;
  event: EventObject;
  after: AnyMachineSnapshot;
}

export function begin(subject: Subject): AnyMachineSnapshot {
  return initialTransition(subject.machine, inputOf(subject))[0];
}

function inputOf({ services }: Subject) {
  const receivedAt = Date.UTC(2026, 2, 10);
  return {
    participants: [...services],
    receivedAt,
    dueAt: receivedAt + 2e9,
    startsAt: receivedAt,
    spread: 0,
  };
}

/** Every event of the machine that a state accepts, and what it comes to. */
export function stepsFrom({ machine, services }: Subject, before: AnyMachineSnapshot): Step[] {
  if (before.status !== "active") return [];
  const events: EventObject[] = machine.id.startsWith("gdpr")
    ? eventLabels(services, machine.id).map((word) => eventOf(word, machine.id, before.context))
    : machine.events.map((type) => ({ type, by: "STAFF", changedFields: [] }));
  return events.filter((event) => before.can(event)).map((event) => ({
    before,
    event,
    after: transition(machine, before, event)[0],
  }));
}

/** A way to every state value that can be reached, the shortest first. */
export function* everyWay(subject: Subject): Generator<{ state: AnyMachineSnapshot; way: Step[] }> {
  const found: { state: AnyMachineSnapshot; way: Step[] }[] = [{ state: begin(subject), way: [] }];
  const known = new Set(found.map(({ state }) => stateName(state)));
  for (const { state, way } of found) {
    yield { state, way };
    for (const step of stepsFrom(subject, state)) {
      if (known.has(stateName(step.after))) continue;
      known.add(stateName(step.after));
      found.push({ state: step.after, way: [...way, step] });
    }
  }
}

export function journalOf(subject: Subject, way: readonly Step[]): JournalEntry[] {
  const birth = {
    sequence: 1,
    eventType: "open",
    stateBefore: null,
    stateAfter: stateName(begin(subject)),
    transitions: runtime.initialTransition(subject.machine, inputOf(subject)).transitions,
  };
  return [birth, ...way.map((step, index) => entryOf(step, index + 2))];
}

export function entryOf({ before, event, after }: Step, sequence = 2): JournalEntry {
  return {
    sequence,
    eventType: publicEvent(event).name,
    stateBefore: stateName(before),
    stateAfter: stateName(after),
    transitions: runtime.transition(before.machine, before, event).transitions,
  };
}

/** The first step whose event is the word's, in the states that the way has come to. */
export function go(subject: Subject, words: readonly string[]): Step[] {
  let state = begin(subject);
  return words.map((word) => {
    const event = eventOf(word, subject.machine.id, state.context);
    if (!state.can(event)) throw new Error(`${word} is refused in ${stateName(state)}`);
    const [after] = transition(subject.machine, state, event);
    const step = { before: state, event, after };
    state = after;
    return step;
  });
}

/** The ids of the states that XState itself takes as active, without the machine's own. */
export function activeIds({ machine, _nodes }: AnyMachineSnapshot): string[] {
  return _nodes.map(({ id }) => id).filter((id) => id !== machine.id).sort();
}
