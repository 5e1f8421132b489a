/**
 * Property-based test of random events, several of them concurrent. The rows of a request never contradict each other,
 * no request is fulfilled before every participant has responded, and every request can still be completed.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { OWN_DATA } from "../../actors/gdpr/types.ts";
import { register, tell } from "../actors/world.ts";
import { createManualClockWorld, DAY, type ManualClockWorld } from "./manual_clock.ts";
import { assertInvariants, phaseOf, regionsOf } from "./invariants.ts";
import {
  applyEvent,
  type EventLabel,
  eventLabels,
  FIRST,
  IDENTIFIED,
  type RequestUnderTest,
  staff,
} from "./request_events.ts";

const STRANGER = "marketing-service";

interface Scenario {
  machine: string;
  right: string;
  /** Participants that have to respond. */
  services: string[];
  /** Events that count as a response of a participant. */
  answers: string[];
  /** Whether staff have checked the identity when they open the request. */
  identified: boolean;
  /** Whether a second person confirms waivers. */
  fourEyes: boolean;
  /** Events with a higher probability, because they lead to the next state. */
  likely: EventLabel[];
  /** The event that leads from each state towards completion; `*` is an open participant. */
  nextEvent: Record<string, EventLabel>;
}

const ERASURE: Scenario = {
  machine: "gdpr_erasure@1",
  right: "ERASURE",
  services: ["orders", "payments"],
  answers: ["confirm", "waive"],
  identified: true,
  fourEyes: false,
  likely: [
    "start",
    "confirm orders",
    "confirm payments",
    "verified-0",
    "verified-1",
    "start-with-open-access",
    "start-with-unfetched",
    "customer-held",
  ],
  nextEvent: {
    "PENDING.identifying": "identity-verify",
    "PENDING.waiting_for_information": "information-receive",
    "PENDING.held": "release",
    "PENDING.held by the customer": "customer-free",
    "PENDING.grace": "start",
    "PENDING.waiting_for_access": "access-closed",
    "PENDING.waiting_for_download": "proceed",
    "PENDING.proposed": "second-confirm",
    "IN_PROGRESS.awaiting_confirmations": "confirm *",
    "IN_PROGRESS.residue_found": "retry",
    "IN_PROGRESS.verifying": "verified-0",
  },
};
/** Opened by staff. */
const FOUR_EYES: Scenario = {
  ...ERASURE,
  answers: ["confirm", "second-confirm"],
  identified: false,
  fourEyes: true,
  likely: [
    "identity-verify",
    "second-confirm",
    "start",
    "confirm orders",
    "propose orders",
    "propose payments",
    "second-confirm orders",
    "second-confirm payments",
    "second-reject payments",
    "own-confirm orders",
    "verified-0",
  ],
};
const ACCESS: Scenario = {
  machine: "gdpr_access@1",
  right: "ACCESS",
  services: [OWN_DATA, "orders"],
  answers: ["received", "waive"],
  identified: false,
  fourEyes: false,
  likely: [
    "identity-verify",
    "start",
    "failed orders",
    "ask orders",
    "received orders",
    `received ${OWN_DATA}`,
    "compiled",
  ],
  nextEvent: {
    "PENDING.identifying": "identity-verify",
    "PENDING.waiting_for_information": "information-receive",
    "PENDING.held": "release",
    "PENDING.recorded": "start",
    "IN_PROGRESS.collecting": "received *",
    "IN_PROGRESS.compiling": "compiled",
  },
};

/** @param stories number of random sequences of events for each machine */
export function testInterleavings(stories: number): void {
  for (const scenario of [ERASURE, FOUR_EYES, ACCESS]) {
    const title = scenario.fourEyes ? `${scenario.machine} with four eyes` : scenario.machine;
    Deno.test(`${title} keeps its invariants in any order of events, several of them concurrent`, () =>
      assertStories(scenario, stories));
  }
}

async function assertStories(scenario: Scenario, stories: number): Promise<void> {
  const { machine, services } = scenario;
  const participants = services.filter((service) => service !== OWN_DATA);
  await using world = await createManualClockWorld({
    participants,
    graceMs: DAY,
    fourEyes: scenario.fourEyes,
  });
  const start = world.now;
  let fulfilled = 0;

  const otherWaiver = scenario.fourEyes ? "waive" : "propose";
  const labels = eventLabels([...services, STRANGER], machine).filter((label) =>
    !label.startsWith(`${otherWaiver} `)
  );
  const any = fc.constantFrom(...labels);
  const likely = fc.constantFrom(...scenario.likely);
  const label = fc.oneof({ arbitrary: likely, weight: 2 }, { arbitrary: any, weight: 1 });
  const instant = fc.oneof(
    { arbitrary: label.map((one) => [one]), weight: 3 },
    { arbitrary: fc.array(label, { minLength: 2, maxLength: 4 }), weight: 1 },
  );
  const story = fc.array(instant, { minLength: 4, maxLength: 18 });

  await fc.assert(
    fc.asyncProperty(story, async (instants) => {
      world.now = start;
      const request = await openRequest(world, scenario);
      const answered = new Set<string>();
      for (const labels of instants) {
        const accepted = await Promise.all(labels.map((label) => applyEvent(label, request)));
        labels.forEach((label, at) => accepted[at] && noteResponse(scenario, answered, label));
        await assertScenario(scenario, request, answered);
      }
      await finish(scenario, request, answered);
      if (isFulfilled((await stateOf(request)).outcome)) fulfilled++;
    }),
    { numRuns: stories },
  );
  assert.ok(fulfilled > stories / 6, "enough requests are fulfilled");
}

function noteResponse({ answers }: Scenario, answered: Set<string>, label: EventLabel): void {
  const [type = "", service] = label.split(" ");
  if (service && answers.includes(type)) answered.add(service);
}

async function assertScenario(
  scenario: Scenario,
  request: RequestUnderTest,
  answered: ReadonlySet<string>,
): Promise<void> {
  await assertInvariants(request.world.admin, request.request);
  const { phase, outcome } = await stateOf(request);
  const isComplete = scenario.services.every((service) => answered.has(service));
  if (isFulfilled(outcome)) assert.ok(isComplete, `fulfilled with ${[...answered]}`);
  if (phase === "IN_PROGRESS.verifying" || phase === "IN_PROGRESS.compiling") assert.ok(isComplete, phase);
  assert.ok(!answered.has(STRANGER), "events of a service that is not a participant are refused");
}

/** Completes the request: no previous event may prevent that. */
async function finish(scenario: Scenario, request: RequestUnderTest, answered: Set<string>): Promise<void> {
  for (let step = 0; step < 12; step++) {
    const { phase, regions } = await stateOf(request);
    if (phase.startsWith("COMPLETED")) return;
    const open = Object.entries(regions).find(([, state]) => !SETTLED.includes(state))?.[0] ?? "";
    const label = scenario.nextEvent[phase]?.replace("*", open) ?? "";
    assert.ok(await applyEvent(label, request), `${label} in ${phase}`);
    noteResponse(scenario, answered, label);
    await assertScenario(scenario, request, answered);
  }
  assert.fail("the request does not complete");
}

const isFulfilled = (outcome: string | null) => outcome?.startsWith("FULFILLED") ?? false;

const SETTLED = ["confirmed", "received", "waived"];

async function stateOf({ world, request }: RequestUnderTest) {
  const [row] = await world
    .admin`select outcome, snapshot from gdpr_requests where request_id = ${request.id}`;
  assert.ok(row);
  const { value, context } = row.snapshot;
  const held = context.heldBy === "CUSTOMER" ? " by the customer" : "";
  return { phase: phaseOf(value) + held, regions: regionsOf(value), outcome: row.outcome };
}

async function openRequest(
  world: ManualClockWorld,
  { machine, right, identified }: Scenario,
): Promise<RequestUnderTest> {
  const customer = await register(world);
  const request = { kind: "gdpr_request" as const, storeId: world.storeId, id: crypto.randomUUID() };
  const fields = { customerId: customer.id, right, ...(identified && IDENTIFIED) };
  await tell(world, request, "open", fields, { by: staff(world, FIRST) });
  return { world, machine, customer, request };
}
