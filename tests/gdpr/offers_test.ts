/** Available decisions are exactly those that the machine accepts, in every reachable state. */
import assert from "node:assert/strict";
import fc from "fast-check";
import {
  availableDecisions,
  DECISIONS,
  type StaffDecision,
} from "../../actors/gdpr/requests/available_decisions.ts";
import { OWN_DATA } from "../../actors/gdpr/types.ts";
import { DomainError } from "../../domain/errors.ts";
import { findRequest, type GdprRequestRow } from "../../db/gdpr_requests.ts";
import { register, shopper, tell } from "../actors/world.ts";
import { createManualClockWorld, DAY } from "./manual_clock.ts";
import {
  applyEvent,
  eventLabels,
  FIRST,
  IDENTIFIED,
  type RequestUnderTest,
  SECOND,
  staff,
} from "./request_events.ts";

const STRANGER = "marketing-service";
const WITH_REASON: readonly StaffDecision[] = [
  "hold",
  "refuse",
  "extend",
  "waive",
  "reject",
  "identity.fail",
  "information.request",
];
const ABOUT_SERVICE: readonly StaffDecision[] = ["waive", "retry", "confirm", "reject", "withdraw"];

const MACHINES = [
  { machine: "gdpr_erasure@1", right: "ERASURE", services: ["orders", "payments"], fourEyes: false },
  { machine: "gdpr_erasure@1", right: "ERASURE", services: ["orders", "payments"], fourEyes: true },
  { machine: "gdpr_access@1", right: "ACCESS", services: [OWN_DATA, "orders"], fourEyes: false },
];

interface Decision {
  type: StaffDecision;
  by: Parameters<typeof staff>[1];
  service: string | undefined;
}

async function rowOf({ world, request }: RequestUnderTest): Promise<GdprRequestRow> {
  const row = await findRequest(world.admin, request.storeId, request.id);
  assert.ok(row);
  return row;
}

async function open(
  world: RequestUnderTest["world"],
  machine: string,
  right: string,
  fields: Record<string, unknown> = IDENTIFIED,
): Promise<RequestUnderTest> {
  const customer = await register(world);
  const request = { kind: "gdpr_request" as const, storeId: world.storeId, id: crypto.randomUUID() };
  await tell(world, request, "open", { customerId: customer.id, right, ...fields }, {
    by: staff(world, FIRST),
  });
  return { world, machine, customer, request };
}

for (const { machine, right, services, fourEyes } of MACHINES) {
  Deno.test(`${machine}${fourEyes ? " with four eyes" : ""} accepts the offered decisions, and no others`, async () => {
    const participants = services.filter((service) => service !== OWN_DATA);
    await using world = await createManualClockWorld({ participants, graceMs: DAY, fourEyes });
    const start = world.now;
    const outcomes = new Map<string, number>();
    const otherWaiver = fourEyes ? "waive" : "propose";
    const labels = eventLabels(services, machine).filter((label) => !label.startsWith(`${otherWaiver} `));
    const label = fc.constantFrom("start", ...labels);
    const decision = fc.record({
      type: fc.constantFrom(...DECISIONS),
      by: fc.constantFrom(FIRST, SECOND),
      service: fc.option(fc.constantFrom(...services, STRANGER), { nil: undefined, freq: 1 }),
    });
    /** Sends a decision and asserts that it is accepted exactly if it is offered. */
    async function decide(request: RequestUnderTest, step: Decision): Promise<void> {
      const { type } = step;
      const by = staff(world, step.by);
      const isAbout = ABOUT_SERVICE.includes(type);
      const service = type === "waive" ? step.service ?? "orders" : isAbout ? step.service : undefined;
      const offered = availableDecisions(await rowOf(request), by, world.now)
        .some((offer) => offer.type === type && offer.service === service);
      const fields = {
        ...(service !== undefined && { service }),
        ...(WITH_REASON.includes(type) && { reason: "required by law" }),
        ...((type === "refuse" || (type === "reject" && !service)) && { ground: "NO_RIGHT" }),
        ...(type === "hold" && { ground: "LEGAL_CLAIM" }),
        ...(type === "identity.verify" && IDENTIFIED.identity),
      };
      const accepted = await tell(world, request.request, type, fields, { by }).then(
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
    const story = fc.array(fc.oneof(label, decision), { minLength: 4, maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(story, fc.boolean(), async (steps, isIdentified) => {
        world.now = start;
        const request = await open(world, machine, right, fourEyes && !isIdentified ? {} : IDENTIFIED);
        for (const step of steps) {
          if (typeof step === "string") await applyEvent(step, request);
          else await decide(request, step);
        }
      }),
      { numRuns: fourEyes ? 100 : 40 },
    );
    if (fourEyes) {
      for (const type of ["confirm", "reject", "withdraw"]) {
        assert.ok(outcomes.has(`${type} true`), `${type} was never accepted`);
      }
    }
    world.now = start;
    const completed = await open(world, machine, right);
    const refusal = { ground: "NO_RIGHT", reason: "required by law" };
    await tell(world, completed.request, fourEyes ? "reject" : "refuse", refusal, {
      by: staff(world, SECOND),
    });
    for (const type of DECISIONS) {
      await decide(completed, { type, by: SECOND, service: services[0] });
      assert.ok(outcomes.has(`${type} false`), `${type} was never refused`);
    }
    if (!fourEyes) {
      assert.ok(outcomes.has("hold true") && outcomes.has("cancel true") && outcomes.has("extend true"));
    }
  });
}

Deno.test("staff without the role and other customers are offered no decision", async () => {
  await using world = await createManualClockWorld({ graceMs: DAY });
  const request = await open(world, "gdpr_erasure@1", "ERASURE");
  const row = await rowOf(request);
  const types = (by: typeof world.officer) => availableDecisions(row, by, world.now).map(({ type }) => type);
  assert.deepEqual(types(world.officer), ["hold", "extend", "cancel", "refuse"]);
  assert.deepEqual(types({ ...world.officer, roles: ["CUSTOMER_MANAGER"] }), []);
  assert.deepEqual(types(shopper(request.customer)), ["cancel"]);
  assert.deepEqual(types(shopper({ ...request.customer, id: crypto.randomUUID() })), []);
});

Deno.test("an unknown machine or state is refused", async () => {
  await using world = await createManualClockWorld();
  const row = await rowOf(await open(world, "gdpr_erasure@1", "ERASURE"));
  const refused = { name: "DomainError", code: "REFUSED_IN_STATE" };
  assert.throws(
    () => availableDecisions({ ...row, machine: "gdpr_erasure@9" }, world.officer, world.now),
    refused,
  );
  const snapshot = { ...row.snapshot as object, value: { PENDING: "unknown" } };
  assert.throws(() => availableDecisions({ ...row, snapshot }, world.officer, world.now), refused);
});
