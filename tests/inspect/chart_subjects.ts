/** Machines to draw charts of, their reachable states, and journals like those of the runtime. */
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
  participants: readonly string[];
}

const THREE = ["order-service", "payment-service", "communication-service"];
export const TWENTY = Array.from({ length: 20 }, (_, index) => `service-${index + 1}`);

export function request(name: string, participants: readonly string[]): Subject {
  return {
    title: `${name} with ${participants.length}`,
    machine: machineOf(name, participants),
    participants,
  };
}

export const SUBJECTS: readonly Subject[] = [
  request("gdpr_erasure@1", []),
  request("gdpr_erasure@1", THREE),
  request("gdpr_erasure@1", TWENTY),
  request("gdpr_access@1", ["customer-service", ...THREE]),
  request("gdpr_access@1", ["customer-service"]),
  request("gdpr_portability@1", ["customer-service", ...TWENTY]),
  request("gdpr_rectification@1", []),
  { title: "customer", machine: customerMachine, participants: [] },
  { title: "shopper group", machine: shopperGroupMachine, participants: [] },
];

/** A transition that the machine has taken. */
export interface Step {
  before: AnyMachineSnapshot;
  event: EventObject;
  after: AnyMachineSnapshot;
}

export function initialSnapshot(subject: Subject): AnyMachineSnapshot {
  return initialTransition(subject.machine, inputOf(subject))[0];
}

function inputOf({ participants }: Subject) {
  const receivedAt = Date.UTC(2026, 2, 10);
  return {
    participants: [...participants],
    receivedAt,
    dueAt: receivedAt + 2e9,
    startsAt: receivedAt,
    spread: 0,
  };
}

/** One step for each event that the state accepts. */
export function stepsFrom({ machine, participants }: Subject, before: AnyMachineSnapshot): Step[] {
  if (before.status !== "active") return [];
  const events: EventObject[] = machine.id.startsWith("gdpr")
    ? eventLabels(participants, machine.id).map((word) => eventOf(word, machine.id, before.context))
    : machine.events.map((type) => ({ type, by: "STAFF", changedFields: [] }));
  return events.filter((event) => before.can(event)).map((event) => ({
    before,
    event,
    after: transition(machine, before, event)[0],
  }));
}

/** A path to each reachable state value, shortest first. */
export function* everyPath(subject: Subject): Generator<{ state: AnyMachineSnapshot; path: Step[] }> {
  const reached: { state: AnyMachineSnapshot; path: Step[] }[] = [{
    state: initialSnapshot(subject),
    path: [],
  }];
  const names = new Set(reached.map(({ state }) => stateName(state)));
  for (const { state, path } of reached) {
    yield { state, path };
    for (const step of stepsFrom(subject, state)) {
      if (names.has(stateName(step.after))) continue;
      names.add(stateName(step.after));
      reached.push({ state: step.after, path: [...path, step] });
    }
  }
}

export function journalOf(subject: Subject, path: readonly Step[]): JournalEntry[] {
  const creation = {
    sequence: 1,
    eventType: "open",
    stateBefore: null,
    stateAfter: stateName(initialSnapshot(subject)),
    transitions: runtime.initialTransition(subject.machine, inputOf(subject)).transitions,
  };
  return [creation, ...path.map((step, index) => entryOf(step, index + 2))];
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

/** Sends the events that the words name, one after the other. */
export function takeSteps(subject: Subject, words: readonly string[]): Step[] {
  let state = initialSnapshot(subject);
  return words.map((word) => {
    const event = eventOf(word, subject.machine.id, state.context);
    if (!state.can(event)) throw new Error(`${word} is refused in ${stateName(state)}`);
    const [after] = transition(subject.machine, state, event);
    const step = { before: state, event, after };
    state = after;
    return step;
  });
}

/** IDs of the states that XState reports as active, without the root. */
export function activeIds({ machine, _nodes }: AnyMachineSnapshot): string[] {
  return _nodes.map(({ id }) => id).filter((id) => id !== machine.id).sort();
}
