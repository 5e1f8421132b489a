/** Request machines: compared with tables of transitions, and every path through their graphs on real rows. */
import assert from "node:assert/strict";
import type { AnyMachineSnapshot, AnyStateMachine } from "xstate";
import { initialTransition, transition } from "xstate";
import { getShortestPaths, getSimplePaths } from "xstate/graph";
import { machineOf } from "../../actors/gdpr/requests/snapshot.ts";
import { OWN_DATA } from "../../actors/gdpr/types.ts";
import { register, tell } from "../actors/world.ts";
import { createManualClockWorld, DAY, type ManualClockWorld } from "./manual_clock.ts";
import { MACHINES } from "./expected_transitions.ts";
import { assertInvariants, phaseOf, regionsOf } from "./invariants.ts";
import {
  applyEvent,
  type EventLabel,
  eventLabels,
  eventOf,
  FIRST,
  IDENTIFIED,
  type RequestUnderTest,
  staff,
  timerName,
} from "./request_events.ts";

const RECEIVED = Date.UTC(2026, 2, 10);

/** Name of a state in the tables. */
function nameOf({ value, context }: Pick<AnyMachineSnapshot, "value" | "context">): string {
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

const stateKeys = {
  name: (state: AnyMachineSnapshot) => nameOf(state),
  clock: (state: AnyMachineSnapshot) => `${nameOf(state)} ${state.context.clock} ${state.context.extended}`,
  attempts: (state: AnyMachineSnapshot) => `${nameOf(state)} ${JSON.stringify(state.context.attempts)}`,
};

interface MachineInput {
  services: readonly string[];
  /** Whether staff have opened the request, and a second person has to confirm it. */
  proposed: boolean;
  /** Whether the identity has to be checked; the paths end with the check. */
  unidentified: boolean;
}

interface Path {
  labels: EventLabel[];
  state: AnyMachineSnapshot;
}

function pathsThrough(
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
    return { labels, state: walk(machine, input, labels) };
  });
}

/** State at the end of a path. The state that XState returns with the path is only one with the same key. */
function walk(
  machine: AnyStateMachine,
  input: MachineInput,
  labels: EventLabel[],
): AnyMachineSnapshot {
  let [state] = initialTransition(machine, inputOf(input));
  for (const label of labels) {
    const event = eventOf(label, machine.id, state.context);
    assert.ok(state.can(event), `${label} of ${labels.join(", ")}`);
    [state] = transition(machine, state, event);
  }
  return state;
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

/** Opens a request and applies events to its rows. */
async function arrange(
  { world, id, right, proposed, unidentified }: {
    world: ManualClockWorld;
    id: string;
    right: string;
    proposed: boolean;
    unidentified: boolean;
  },
  labels: readonly EventLabel[],
): Promise<RequestUnderTest> {
  world.now = new Date(RECEIVED);
  const customer = await register(world, { firstName: "Ada" });
  const request = { kind: "gdpr_request" as const, storeId: world.storeId, id: crypto.randomUUID() };
  world.settings.fourEyes = proposed;
  await tell(world, request, "open", {
    customerId: customer.id,
    right,
    ...(unidentified ? { channel: "LETTER" } : IDENTIFIED),
  }, { by: staff(world, FIRST) });
  const arranged = { world, machine: id, customer, request };
  for (const [at, label] of labels.entries()) {
    assert.ok(await applyEvent(label, arranged), `${label} after ${labels.slice(0, at).join(", ")}`);
  }
  return arranged;
}

async function readStored({ world, request }: RequestUnderTest) {
  const [row] = await world
    .admin`select snapshot, version from gdpr_requests where request_id = ${request.id}`;
  assert.ok(row);
  return { name: nameOf(row.snapshot), version: row.version, key: stateKeys.clock(row.snapshot) };
}

/** Participants as in the settings: without this service itself. */
const participantsOf = (services: readonly string[]) => services.filter((service) => service !== OWN_DATA);
const createParticipantsWorld = (services: readonly string[]) =>
  createManualClockWorld({ participants: participantsOf(services), graceMs: DAY }, new Date(RECEIVED));

for (const { id, right, proposed, unidentified = false, table, one, two } of MACHINES) {
  const title = `${unidentified ? "an unidentified " : ""}${proposed ? "proposed " : ""}${id}`;
  const [service = ""] = one;
  const rows = Object.fromEntries(
    Object.entries(table).map(([name, row]) => [
      name,
      Object.fromEntries(Object.entries(row).map(([label, next]) => [label.replace("*", service), next])),
    ]),
  );
  const machine = machineOf(id, one);
  // An erasure retries without a limit, a collection a limited number of times.
  const shortest = pathsThrough(
    machine,
    { services: one, proposed, unidentified },
    right === "ERASURE" ? "name" : "attempts",
  )
    .toSorted((path, other) => path.labels.length - other.labels.length);
  const paths = new Map(
    shortest.toReversed().map((path) => [nameOf(path.state), path] as const)
      .filter(([name]) => !unidentified || Object.hasOwn(table, name)),
  );

  Deno.test(`${title} has exactly the states of the table, in PENDING, IN_PROGRESS and COMPLETED`, () => {
    assert.deepEqual([...paths.keys()].sort(), Object.keys(table).sort());
    assert.deepEqual(Object.keys(machine.root.states), ["PENDING", "IN_PROGRESS", "COMPLETED"]);
  });

  Deno.test(`${title} accepts in each state the events of the table, and no others`, () => {
    for (const [name, { state }] of paths) {
      for (const label of eventLabels([service, "stranger"], id)) {
        const event = eventOf(label, id, state.context);
        const expected = rows[name]?.[label];
        const accepted = state.status === "active" && state.can(event);
        assert.equal(accepted, expected !== undefined, `${label} in ${name}`);
        if (!accepted) continue;
        const [after] = transition(machine, state, event);
        assert.equal(nameOf(after), expected || name, `${label} in ${name}`);
      }
    }
  });

  Deno.test(`${title} on rows: each state accepts the events of the table, and others change nothing`, async () => {
    await using world = await createParticipantsWorld(one);
    const machineUnderTest = { world, id, right, proposed, unidentified };
    for (const [name, { labels }] of paths) {
      const refusing = await arrange(machineUnderTest, labels);
      const before = await readStored(refusing);
      assert.equal(before.name, name);
      await assertInvariants(world.admin, refusing.request);
      for (const label of eventLabels([service, "stranger"], id)) {
        const expected = rows[name]?.[label];
        if (expected === undefined) {
          await insertStrayTimer(refusing, label);
          assert.equal(await applyEvent(label, refusing), false, `${label} in ${name}`);
          assert.deepEqual(await readStored(refusing), before, `${label} in ${name}`);
          continue;
        }
        const accepting = await arrange(machineUnderTest, labels);
        assert.ok(await applyEvent(label, accepting), `${label} in ${name}`);
        assert.equal((await readStored(accepting)).name, expected || name, `${label} in ${name}`);
        await assertInvariants(world.admin, accepting.request);
      }
      await assertInvariants(world.admin, refusing.request);
    }
  });

  Deno.test(`${title} on rows: the invariants hold at the end of every path through its graph`, async () => {
    const walks = [
      {
        services: one,
        paths: pathsThrough(machine, { services: one, proposed, unidentified }, "name", getSimplePaths),
      },
      { services: one, paths: right === "ERASURE" ? [] : shortest },
      {
        services: two,
        paths: two.length > 0
          ? pathsThrough(machineOf(id, two), { services: two, proposed, unidentified }, "clock")
          : [],
      },
    ];
    for (const { services, paths } of walks) {
      if (paths.length === 0) continue;
      await using world = await createParticipantsWorld(services);
      for (const { labels, state } of paths) {
        const walked = await arrange({ world, id, right, proposed, unidentified }, labels);
        assert.equal((await readStored(walked)).key, stateKeys.clock(state), labels.join(", "));
        await assertInvariants(world.admin, walked.request);
      }
    }
  });
}

/** Inserts a timer that the current state does not have, like one that was claimed before a transition. */
async function insertStrayTimer(
  { world, machine, request }: RequestUnderTest,
  label: EventLabel,
): Promise<void> {
  const name = timerName(label, machine);
  if (!name) return;
  const [type = "", service = ""] = label.split(" ");
  const event = type === "ask"
    ? { type, service }
    : type === "week"
    ? { type: "participant.overdue", service }
    : { type: name };
  await world.admin`
    insert into timers (store_id, actor_kind, actor_id, name, event, due_at, created_at)
    values (${world.storeId}, 'gdpr_request', ${request.id}, ${name}, ${
    world.admin.json(event)
  }, ${world.now}, ${world.now})`;
}
