/** The courses of the requests: against tables, and every way through their graphs for real, on rows. */
import assert from "node:assert/strict";
import type { AnyMachineSnapshot, AnyStateMachine } from "xstate";
import { initialTransition, transition } from "xstate";
import { getShortestPaths, getSimplePaths } from "xstate/graph";
import { machineOf } from "../../actors/gdpr/requests/snapshot.ts";
import { OWN_DATA } from "../../actors/gdpr/types.ts";
import { register, tell } from "../actors/world.ts";
import { type ClockedWorld, createClockedWorld, DAY } from "./clocked.ts";
import { COURSES } from "./courses.ts";
import { assertFacts, phaseOf, regionsOf } from "./facts.ts";
import { type Case, eventOf, happen, timerOf, type Word, wordsAbout } from "./told.ts";

const RECEIVED = Date.UTC(2026, 2, 10);

/** A state's name in the tables. */
function nameOf({ value, context }: Pick<AnyMachineSnapshot, "value" | "context">): string {
  const phase = phaseOf(value);
  if (phase === "COMPLETED") return `${phase} ${context.outcome}`;
  const regions = Object.entries(regionsOf(value)).sort().map(([, state]) => state).join(" ");
  const last = regions === "asked" && phase.endsWith("collecting") && context.attempts[OWN_DATA] === 8;
  return `${phase} ${regions}`.trimEnd() + (last ? " for the last time" : "");
}

const stateKeys = {
  name: (state: AnyMachineSnapshot) => nameOf(state),
  clock: (state: AnyMachineSnapshot) => `${nameOf(state)} ${state.context.clock} ${state.context.extended}`,
  attempts: (state: AnyMachineSnapshot) => `${nameOf(state)} ${JSON.stringify(state.context.attempts)}`,
};

interface Way {
  words: Word[];
  state: AnyMachineSnapshot;
}

function waysThrough(
  machine: AnyStateMachine,
  services: readonly string[],
  key: keyof typeof stateKeys,
  find: typeof getShortestPaths | typeof getSimplePaths = getShortestPaths,
): Way[] {
  const words = wordsAbout(services, machine.id);
  const wordOf = new Map<unknown, Word>();
  const paths = find(machine, {
    input: inputOf(services),
    events: (state: AnyMachineSnapshot) =>
      words.map((word) => {
        const event = eventOf(word, machine.id, state.context);
        wordOf.set(JSON.stringify(event), word);
        return event;
      }),
    filterEvents: (state: AnyMachineSnapshot, event: never) => state.can(event),
    stopWhen: (state: AnyMachineSnapshot) => state.status !== "active",
    serializeState: stateKeys[key],
  } as never);
  return paths.map(({ steps }) => {
    const words = steps.flatMap(({ event }) => wordOf.get(JSON.stringify(event)) ?? []);
    return { words, state: walk(machine, services, words) };
  });
}

/** Where a way leads; a path's own state is some state of the same key. */
function walk(machine: AnyStateMachine, services: readonly string[], words: Word[]): AnyMachineSnapshot {
  let [state] = initialTransition(machine, inputOf(services));
  for (const word of words) {
    const event = eventOf(word, machine.id, state.context);
    assert.ok(state.can(event), `${word} of ${words.join(", ")}`);
    [state] = transition(machine, state, event);
  }
  return state;
}

function inputOf(participants: readonly string[]) {
  const dueAt = RECEIVED + 31 * DAY;
  return {
    participants: [...participants],
    cause: "REQUEST",
    receivedAt: RECEIVED,
    dueAt,
    startsAt: RECEIVED + DAY,
  };
}

/** A request that has gone a way, for real. */
async function arrange(
  { world, id, right }: { world: ClockedWorld; id: string; right: string },
  words: readonly Word[],
): Promise<Case> {
  world.now = new Date(RECEIVED);
  const customer = await register(world, { firstName: "Ada" });
  const request = { kind: "gdpr_request" as const, storeId: world.storeId, id: crypto.randomUUID() };
  await tell(world, request, "open", { customerId: customer.id, right });
  const arranged = { world, machine: id, customer, request };
  for (const [at, word] of words.entries()) {
    assert.ok(await happen(word, arranged), `${word} after ${words.slice(0, at).join(", ")}`);
  }
  return arranged;
}

async function stored({ world, request }: Case) {
  const [row] = await world
    .admin`select snapshot, version from gdpr_requests where request_id = ${request.id}`;
  assert.ok(row);
  return { name: nameOf(row.snapshot), version: row.version, key: stateKeys.clock(row.snapshot) };
}

/** As the behavior's settings name them: without this service itself. */
const peersOf = (services: readonly string[]) => services.filter((service) => service !== OWN_DATA);
const createCourseWorld = (services: readonly string[]) =>
  createClockedWorld({ participants: peersOf(services), graceMs: DAY }, new Date(RECEIVED));

for (const { id, right, table, one, two } of COURSES) {
  const [service = ""] = one;
  const rows = Object.fromEntries(
    Object.entries(table).map(([name, row]) => [
      name,
      Object.fromEntries(Object.entries(row).map(([word, next]) => [word.replace("*", service), next])),
    ]),
  );
  const machine = machineOf(id, one);
  // An erasure asks for ever, a collection only so often.
  const shortest = waysThrough(machine, one, right === "ERASURE" ? "name" : "attempts")
    .toSorted((way, other) => way.words.length - other.words.length);
  const ways = new Map(shortest.toReversed().map((way) => [nameOf(way.state), way] as const));

  Deno.test(`${id} has exactly the states of the table, in PENDING, IN_PROGRESS and COMPLETED`, () => {
    assert.deepEqual([...ways.keys()].sort(), Object.keys(table).sort());
    assert.deepEqual(Object.keys(machine.root.states), ["PENDING", "IN_PROGRESS", "COMPLETED"]);
  });

  Deno.test(`${id} takes in each state what the table says, and nothing else`, () => {
    for (const [name, { state }] of ways) {
      for (const word of wordsAbout([service, "stranger"], id)) {
        const event = eventOf(word, id, state.context);
        const expected = rows[name]?.[word];
        const taken = state.status === "active" && state.can(event);
        assert.equal(taken, expected !== undefined, `${word} in ${name}`);
        if (!taken) continue;
        const [after] = transition(machine, state, event);
        assert.equal(nameOf(after), expected || name, `${word} in ${name}`);
      }
    }
  });

  Deno.test(`${id} on rows: in each state it takes what the table says, and the rest changes nothing`, async () => {
    await using world = await createCourseWorld(one);
    const course = { world, id, right };
    for (const [name, { words }] of ways) {
      const refusing = await arrange(course, words);
      const before = await stored(refusing);
      assert.equal(before.name, name);
      await assertFacts(world.admin, refusing.request);
      for (const word of wordsAbout([service, "stranger"], id)) {
        const expected = rows[name]?.[word];
        if (expected === undefined) {
          await setStray(refusing, word);
          assert.equal(await happen(word, refusing), false, `${word} in ${name}`);
          assert.deepEqual(await stored(refusing), before, `${word} in ${name}`);
          continue;
        }
        const taking = await arrange(course, words);
        assert.ok(await happen(word, taking), `${word} in ${name}`);
        assert.equal((await stored(taking)).name, expected || name, `${word} in ${name}`);
        await assertFacts(world.admin, taking.request);
      }
      await assertFacts(world.admin, refusing.request);
    }
  });

  Deno.test(`${id} on rows: every way through its graph ends in a state whose facts hold`, async () => {
    const walks = [
      { services: one, ways: waysThrough(machine, one, "name", getSimplePaths) },
      { services: one, ways: right === "ERASURE" ? [] : shortest },
      { services: two, ways: two.length > 0 ? waysThrough(machineOf(id, two), two, "clock") : [] },
    ];
    for (const { services, ways } of walks) {
      if (ways.length === 0) continue;
      await using world = await createCourseWorld(services);
      for (const { words, state } of ways) {
        const walked = await arrange({ world, id, right }, words);
        assert.equal((await stored(walked)).key, stateKeys.clock(state), words.join(", "));
        await assertFacts(world.admin, walked.request);
      }
    }
  });
}

/** Leaves the timer of a word behind that the state has no timer for, as a claim that came too late would. */
async function setStray({ world, machine, request }: Case, word: Word): Promise<void> {
  const name = timerOf(word, machine);
  if (!name) return;
  const [type = "", service = ""] = word.split(" ");
  const event = type === "ask" ? { type, service } : { type: name };
  await world.admin`
    insert into timers (store_id, actor_kind, actor_id, name, event, due_at, created_at)
    values (${world.storeId}, 'gdpr_request', ${request.id}, ${name}, ${
    world.admin.json(event)
  }, ${world.now}, ${world.now})`;
}
