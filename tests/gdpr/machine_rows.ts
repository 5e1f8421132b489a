/** Request machines on real rows: opens requests, applies events, and compares the rows with the machine's state. */
import assert from "node:assert/strict";
import { OWN_DATA } from "../../actors/gdpr/types.ts";
import { register, tell } from "../actors/world.ts";
import { assertInvariants } from "./invariants.ts";
import { type MachineUnderTest, nameOf, RECEIVED, stateKeys, type Walks } from "./machine_paths.ts";
import { createManualClockWorld, DAY, type ManualClockWorld } from "./manual_clock.ts";
import {
  applyEvent,
  type EventLabel,
  eventLabels,
  FIRST,
  IDENTIFIED,
  type RequestUnderTest,
  staff,
  timerName,
} from "./request_events.ts";

/** Opens a request and applies events to its rows. */
export async function arrange(
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

export async function readStored({ world, request }: RequestUnderTest) {
  const [row] = await world
    .admin`select snapshot, version from gdpr_requests where request_id = ${request.id}`;
  assert.ok(row);
  return { name: nameOf(row.snapshot), version: row.version, key: stateKeys.clock(row.snapshot) };
}

/** Participants as in the settings: without this service itself. */
const participantsOf = (services: readonly string[]) => services.filter((service) => service !== OWN_DATA);
export const createParticipantsWorld = (services: readonly string[]) =>
  createManualClockWorld({ participants: participantsOf(services), graceMs: DAY }, new Date(RECEIVED));

/** Each state accepts the events of the table and refuses all others, which change nothing. */
export async function assertTableOnRows(subject: MachineUnderTest): Promise<void> {
  const { id, one, states, rows } = subject;
  await using world = await createParticipantsWorld(one);
  const machineUnderTest = { ...subject, world };
  for (const [name, { labels }] of states) {
    const refusing = await arrange(machineUnderTest, labels);
    const before = await readStored(refusing);
    assert.equal(before.name, name);
    await assertInvariants(world.admin, refusing.request);
    for (const label of eventLabels([one[0] ?? "", "stranger"], id)) {
      const expected = rows[name]?.[label];
      if (expected === undefined) {
        await insertStrayTimer(refusing, label);
        assert.equal(await applyEvent(label, refusing), false, `${label} in ${name}`);
        continue;
      }
      const accepting = await arrange(machineUnderTest, labels);
      assert.ok(await applyEvent(label, accepting), `${label} in ${name}`);
      assert.equal((await readStored(accepting)).name, expected || name, `${label} in ${name}`);
      await assertInvariants(world.admin, accepting.request);
    }
    // The version would count an accepted event, even one after which the state is the same.
    assert.deepEqual(await readStored(refusing), before, `refused events in ${name}`);
    await assertInvariants(world.admin, refusing.request);
  }
}

/** At the end of each path the rows agree with the machine's state, and the invariants hold. */
export async function assertWalks(subject: MachineUnderTest, walks: readonly Walks[]): Promise<void> {
  for (const { services, paths } of walks) {
    if (paths.length === 0) continue;
    await using world = await createParticipantsWorld(services);
    for (const { labels, state } of paths) {
      const walked = await arrange({ ...subject, world }, labels);
      assert.equal((await readStored(walked)).key, stateKeys.clock(state), labels.join(", "));
      await assertInvariants(world.admin, walked.request);
    }
  }
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
