/** What staff are offered is what the machine takes, in any state that a story can lead to. */
import assert from "node:assert/strict";
import fc from "fast-check";
import {
  availableDecisions,
  type Decision,
  DECISIONS,
} from "../../actors/gdpr/requests/available_decisions.ts";
import { OWN_DATA } from "../../actors/gdpr/types.ts";
import { DomainError } from "../../domain/errors.ts";
import { findRequest, type GdprRequestRow } from "../../db/gdpr_requests.ts";
import { register, shopper, tell } from "../actors/world.ts";
import { createClockedWorld, DAY } from "./clocked.ts";
import { type Case, happen, wordsAbout } from "./told.ts";

const STRANGER = "marketing-service";
const WITH_REASON: readonly Decision[] = ["hold", "refuse", "extend", "waive"];

const COURSES = [
  { machine: "gdpr_erasure@1", right: "ERASURE", services: ["orders", "payments"] },
  { machine: "gdpr_access@1", right: "ACCESS", services: [OWN_DATA, "orders"] },
];

async function rowOf({ world, request }: Case): Promise<GdprRequestRow> {
  const row = await findRequest(world.admin, request.storeId, request.id);
  assert.ok(row);
  return row;
}

async function open(world: Case["world"], machine: string, right: string): Promise<Case> {
  const customer = await register(world);
  const request = { kind: "gdpr_request" as const, storeId: world.storeId, id: crypto.randomUUID() };
  await tell(world, request, "open", { customerId: customer.id, right });
  return { world, machine, customer, request };
}

for (const { machine, right, services } of COURSES) {
  Deno.test(`what is offered of ${machine} is accepted, and nothing else`, async () => {
    const participants = services.filter((service) => service !== OWN_DATA);
    await using world = await createClockedWorld({ participants, graceMs: DAY });
    const start = world.now;
    const outcomes = new Map<string, number>();
    const word = fc.constantFrom("start", ...wordsAbout(services, machine));
    const decision = fc.record({
      type: fc.constantFrom(...DECISIONS),
      service: fc.option(fc.constantFrom(...services, STRANGER), { nil: undefined }),
    });
    const story = fc.array(fc.oneof(word, decision), { minLength: 4, maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(story, async (steps) => {
        world.now = start;
        const told = await open(world, machine, right);
        for (const step of steps) {
          if (typeof step === "string") {
            await happen(step, told);
            continue;
          }
          const { type } = step;
          const isAbout = type === "waive" || type === "retry";
          const service = type === "waive" ? step.service ?? "orders" : isAbout ? step.service : undefined;
          const offered = availableDecisions(await rowOf(told), world.officer, world.now)
            .some((offer) => offer.type === type && offer.service === service);
          const fields = {
            ...(service !== undefined && { service }),
            ...(WITH_REASON.includes(type) && { reason: "as the law says" }),
          };
          const accepted = await tell(world, told.request, type, fields, { by: world.officer }).then(
            () => true,
            (error) => {
              assert.ok(error instanceof DomainError && error.code === "REFUSED_IN_STATE", String(error));
              return false;
            },
          );
          assert.equal(offered, accepted, `${type} ${service ?? ""}`);
          const outcome = `${type} ${accepted}`;
          outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
        }
      }),
      { numRuns: 60 },
    );
    for (const type of DECISIONS) assert.ok(outcomes.has(`${type} false`), `${type} was never refused`);
    assert.ok(outcomes.has("hold true") && outcomes.has("cancel true") && outcomes.has("extend true"));
  });
}

Deno.test("nobody is offered what they may not do: neither staff without the role, nor other customers", async () => {
  await using world = await createClockedWorld({ graceMs: DAY });
  const told = await open(world, "gdpr_erasure@1", "ERASURE");
  const row = await rowOf(told);
  const types = (by: typeof world.officer) => availableDecisions(row, by, world.now).map(({ type }) => type);
  assert.deepEqual(types(world.officer), ["hold", "extend", "cancel", "refuse"]);
  assert.deepEqual(types({ ...world.officer, roles: ["CUSTOMER_MANAGER"] }), []);
  assert.deepEqual(types(shopper(told.customer)), ["cancel"]);
  assert.deepEqual(types(shopper({ ...told.customer, id: crypto.randomUUID() })), []);
});

Deno.test("a machine or a state that this version does not know is said to be so", async () => {
  await using world = await createClockedWorld();
  const row = await rowOf(await open(world, "gdpr_erasure@1", "ERASURE"));
  const refused = { name: "DomainError", code: "REFUSED_IN_STATE" };
  assert.throws(
    () => availableDecisions({ ...row, machine: "gdpr_erasure@9" }, world.officer, world.now),
    refused,
  );
  const snapshot = { ...row.snapshot as object, value: { PENDING: "asleep" } };
  assert.throws(() => availableDecisions({ ...row, snapshot }, world.officer, world.now), refused);
});
