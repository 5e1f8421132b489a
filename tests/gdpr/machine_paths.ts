/** Paths through the state graph of a request machine. */
import assert from "node:assert/strict";
import type { AnyMachineSnapshot, AnyStateMachine } from "xstate";
import { initialTransition, transition } from "xstate";
import { getShortestPaths, getSimplePaths } from "xstate/graph";
import { machineOf } from "../../actors/gdpr/requests/snapshot.ts";
import { OWN_DATA } from "../../actors/gdpr/types.ts";
import { type MachineCase, MACHINES } from "./expected_transitions.ts";
import { phaseOf, regionsOf } from "./invariants.ts";
import { type EventLabel, eventLabels, eventOf, FIRST } from "./request_events.ts";
import { DAY } from "./manual_clock.ts";

export const RECEIVED = Date.UTC(2026, 2, 10);

/** Name of a state in the tables. */
export function nameOf({ value, context }: Pick<AnyMachineSnapshot, "value" | "context">): string {
  const phase = phaseOf(value);
  const waivers = context.waived.length > 0 && WITH_WAIVERS.includes(phase) ? " with waivers" : "";
  if (phase.startsWith("COMPLETED")) return `${phase} ${context.outcome}${waivers}`;
  if (CHECKED_FIRST.includes(phase)) return `${phase} ${context.identityFailures || ""}`.trimEnd();
  const held = phase === "PENDING.held" && context.heldBy === "CUSTOMER" ? " by the customer" : "";
  const regions = Object.entries(regionsOf(value)).sort().map(([, state]) => state).join(" ");
  const last = regions === "asked" && phase.endsWith("collecting") && context.attempts[OWN_DATA] === 8;
  return `${phase}${held} ${regions}`.trimEnd() + (last ? " for the last time" : waivers);
}

/** Phases whose names say whether a participant was waived, as the outcome depends on it. */
const WITH_WAIVERS = [
  "IN_PROGRESS.verifying",
  "IN_PROGRESS.residue_found",
  "IN_PROGRESS.compiling",
  "COMPLETED.not_fetched",
];

/** Phases before the identity is checked. */
const CHECKED_FIRST = ["PENDING.identifying", "PENDING.waiting_for_information"];

export const stateKeys = {
  name: (state: AnyMachineSnapshot) => nameOf(state),
  clock: (state: AnyMachineSnapshot) => `${nameOf(state)} ${state.context.clock} ${state.context.extended}`,
  attempts: (state: AnyMachineSnapshot) => `${nameOf(state)} ${JSON.stringify(state.context.attempts)}`,
};

export interface MachineInput {
  services: readonly string[];
  /** Whether staff have opened the request, and a second person has to confirm it. */
  proposed: boolean;
  /** Whether the identity has to be checked; the paths end with the check. */
  unidentified: boolean;
}

export interface Path {
  labels: EventLabel[];
  /** The phase in which each event happens. */
  phases: string[];
  state: AnyMachineSnapshot;
}

export function pathsThrough(
  machine: AnyStateMachine,
  input: MachineInput,
  key: keyof typeof stateKeys,
  find: typeof getShortestPaths | typeof getSimplePaths = getShortestPaths,
): Path[] {
  const labels = eventLabels(input.services, machine.id);
  const labelOf = new Map<unknown, EventLabel>();
  const paths = find(machine, {
    input: inputOf(input),
    events: (state: AnyMachineSnapshot) =>
      labels.map((label) => {
        const event = eventOf(label, machine.id, state.context);
        labelOf.set(JSON.stringify(event), label);
        return event;
      }),
    filterEvents: (state: AnyMachineSnapshot, event: never) => state.can(event),
    stopWhen: (state: AnyMachineSnapshot) =>
      state.status !== "active" || (input.unidentified && !state.context.unidentified),
    serializeState: stateKeys[key],
  } as never);
  return paths.map(({ steps }) => {
    const labels = steps.flatMap(({ event }) => labelOf.get(JSON.stringify(event)) ?? []);
    return { labels, ...walk(machine, input, labels) };
  });
}

/** State at the end of a path. The state that XState returns with the path is only one with the same key. */
function walk(machine: AnyStateMachine, input: MachineInput, labels: EventLabel[]): Omit<Path, "labels"> {
  const phases: string[] = [];
  let [state] = initialTransition(machine, inputOf(input));
  for (const label of labels) {
    const event = eventOf(label, machine.id, state.context);
    assert.ok(state.can(event), `${label} of ${labels.join(", ")}`);
    phases.push(phaseOf(state.value));
    [state] = transition(machine, state, event);
  }
  return { phases, state };
}

function inputOf({ services, proposed, unidentified }: MachineInput) {
  const dueAt = RECEIVED + 31 * DAY;
  return {
    participants: [...services],
    cause: "REQUEST",
    ...(proposed && { proposedBy: FIRST }),
    ...(unidentified && { unidentified }),
    receivedAt: RECEIVED,
    dueAt,
    startsAt: RECEIVED + DAY,
  };
}

/** A machine of the table, with one and with two participants. */
export interface MachineUnderTest extends MachineInput {
  title: string;
  id: string;
  right: string;
  /** States by name, and the shortest path to each. */
  states: ReadonlyMap<string, Path>;
  /** The table, for its one participant. */
  rows: Record<string, Record<EventLabel, string>>;
  /** Shortest paths to each state; a collection's states with other numbers of attempts are separate. */
  shortest: Path[];
  one: readonly string[];
  two: readonly string[];
}

export const MACHINES_UNDER_TEST: readonly MachineUnderTest[] = MACHINES.map(prepare);

function prepare(
  { id, right, proposed, unidentified = false, table, one, two }: MachineCase,
): MachineUnderTest {
  const [service = ""] = one;
  const input = { services: one, proposed, unidentified };
  // An erasure retries without a limit, a collection a limited number of times.
  const shortest = pathsThrough(machineOf(id, one), input, right === "ERASURE" ? "name" : "attempts")
    .toSorted((path, other) => path.labels.length - other.labels.length);
  return {
    ...input,
    title: `${unidentified ? "an unidentified " : ""}${proposed ? "proposed " : ""}${id}`,
    id,
    right,
    one,
    two,
    shortest,
    rows: Object.fromEntries(
      Object.entries(table).map(([name, row]) => [
        name,
        Object.fromEntries(Object.entries(row).map(([label, next]) => [label.replace("*", service), next])),
      ]),
    ),
    states: new Map(
      shortest.toReversed().map((path) => [nameOf(path.state), path] as const)
        .filter(([name]) => !unidentified || Object.hasOwn(table, name)),
    ),
  };
}

/** A set of walks over rows, with the participants of its requests. */
export interface Walks {
  services: readonly string[];
  paths: Path[];
}

/** Every simple path to each state by name, and the shortest one to each state by clock and attempts. */
export function everyPath(subject: MachineUnderTest): Walks[] {
  const { id, right, one, two, shortest } = subject;
  return [
    { services: one, paths: pathsThrough(machineOf(id, one), subject, "name", getSimplePaths) },
    { services: one, paths: right === "ERASURE" ? [] : shortest },
    {
      services: two,
      paths: two.length > 0 ? pathsThrough(machineOf(id, two), { ...subject, services: two }, "clock") : [],
    },
  ];
}

/** Of the same paths the longest ones that take each event in each phase at least once. */
export function coveringPaths(subject: MachineUnderTest): Walks[] {
  return everyPath(subject).map(({ services, paths }) => {
    const taken = new Set<string>();
    const longestFirst = paths.toSorted((path, other) => other.labels.length - path.labels.length);
    return {
      services,
      paths: longestFirst.filter(({ labels, phases }) => {
        const steps = labels.map((label, at) => `${phases[at]} ${label}`);
        const isNew = steps.some((step) => !taken.has(step));
        for (const step of steps) taken.add(step);
        return isNew;
      }),
    };
  });
}
