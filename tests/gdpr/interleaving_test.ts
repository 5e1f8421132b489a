/**
 * Whatever a request is told, in whatever order and however much of it at once: its rows never contradict each
 * other, it is never fulfilled while somebody has not answered, and it can always be brought to its end.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { OWN_DATA } from "../../actors/gdpr/types.ts";
import { register, tell } from "../actors/world.ts";
import { type ClockedWorld, createClockedWorld, DAY } from "./clocked.ts";
import { assertFacts, phaseOf, regionsOf } from "./facts.ts";
import { type Case, happen, type Word, wordsAbout } from "./told.ts";

const STRANGER = "marketing-service";

interface Course {
  machine: string;
  right: string;
  /** Who has to answer. */
  services: string[];
  /** With which words a service has answered. */
  answers: string[];
  /** What is told more often than chance would: it leads on. */
  leading: Word[];
  /** What brings a request on from where it is; each about the service if it ends in *. */
  onward: Record<string, Word>;
}

const ERASURE: Course = {
  machine: "gdpr_erasure@1",
  right: "ERASURE",
  services: ["orders", "payments"],
  answers: ["confirm", "waive"],
  leading: ["start", "confirm orders", "confirm payments", "verified-0", "verified-1", "start-beside-access"],
  onward: {
    "PENDING.held": "release",
    "PENDING.grace": "start",
    "PENDING.waiting_for_access": "access-closed",
    "IN_PROGRESS.awaiting_confirmations": "confirm *",
    "IN_PROGRESS.residue_found": "retry",
    "IN_PROGRESS.verifying": "verified-0",
  },
};
const ACCESS: Course = {
  machine: "gdpr_access@1",
  right: "ACCESS",
  services: [OWN_DATA, "orders"],
  answers: ["received", "waive"],
  leading: ["start", "failed orders", "ask orders", "received orders", `received ${OWN_DATA}`, "compiled"],
  onward: {
    "PENDING.held": "release",
    "PENDING.recorded": "start",
    "IN_PROGRESS.collecting": "received *",
    "IN_PROGRESS.compiling": "compiled",
  },
};

for (const course of [ERASURE, ACCESS]) {
  Deno.test(`${course.machine} keeps its promises in any order of events, several at one instant`, async () => {
    const { machine, right, services } = course;
    const participants = services.filter((service) => service !== OWN_DATA);
    await using world = await createClockedWorld({ participants, graceMs: DAY });
    const start = world.now;
    let fulfilled = 0;

    const anything = fc.constantFrom(...wordsAbout([...services, STRANGER], machine));
    const leading = fc.constantFrom(...course.leading);
    const word = fc.oneof({ arbitrary: leading, weight: 2 }, { arbitrary: anything, weight: 1 });
    const instant = fc.oneof(
      { arbitrary: word.map((one) => [one]), weight: 3 },
      { arbitrary: fc.array(word, { minLength: 2, maxLength: 4 }), weight: 1 },
    );
    const story = fc.array(instant, { minLength: 4, maxLength: 18 });

    await fc.assert(
      fc.asyncProperty(story, async (instants) => {
        world.now = start;
        const told = await open(world, machine, right);
        const answered = new Set<string>();
        for (const words of instants) {
          const taken = await Promise.all(words.map((word) => happen(word, told)));
          words.forEach((word, at) => taken[at] && noteAnswer(course, answered, word));
          await assertPromises(course, told, answered);
        }
        await finish(course, told, answered);
        if ((await stateOf(told)).outcome === "FULFILLED") fulfilled++;
      }),
      { numRuns: 60 },
    );
    assert.ok(fulfilled > 10, "enough of the stories go all the way");
  });
}

function noteAnswer({ answers }: Course, answered: Set<string>, word: Word): void {
  const [type = "", service] = word.split(" ");
  if (service && answers.includes(type)) answered.add(service);
}

async function assertPromises(course: Course, told: Case, answered: ReadonlySet<string>): Promise<void> {
  await assertFacts(told.world.admin, told.request);
  const { phase, outcome } = await stateOf(told);
  const everybody = course.services.every((service) => answered.has(service));
  if (outcome === "FULFILLED") assert.ok(everybody, `fulfilled with ${[...answered]}`);
  if (phase === "IN_PROGRESS.verifying" || phase === "IN_PROGRESS.compiling") assert.ok(everybody, phase);
  assert.ok(!answered.has(STRANGER), "who does not take part has nothing to say");
}

/** Nothing that was told before may leave a request without a way to its end. */
async function finish(course: Course, told: Case, answered: Set<string>): Promise<void> {
  for (let step = 0; step < 12; step++) {
    const { phase, regions } = await stateOf(told);
    if (phase === "COMPLETED") return;
    const open = Object.entries(regions).find(([, state]) => !SETTLED.includes(state))?.[0] ?? "";
    const word = course.onward[phase]?.replace("*", open) ?? "";
    assert.ok(await happen(word, told), `${word} in ${phase}`);
    noteAnswer(course, answered, word);
    await assertPromises(course, told, answered);
  }
  assert.fail("it does not come to its end");
}

const SETTLED = ["confirmed", "received", "waived"];

async function stateOf({ world, request }: Case) {
  const [row] = await world
    .admin`select outcome, snapshot from gdpr_requests where request_id = ${request.id}`;
  assert.ok(row);
  const { value } = row.snapshot;
  return { phase: phaseOf(value), regions: regionsOf(value), outcome: row.outcome };
}

async function open(world: ClockedWorld, machine: string, right: string): Promise<Case> {
  const customer = await register(world);
  const request = { kind: "gdpr_request" as const, storeId: world.storeId, id: crypto.randomUUID() };
  await tell(world, request, "open", { customerId: customer.id, right });
  return { world, machine, customer, request };
}
