/** An erasure that waits for what the subject has asked to see, and is never forgotten over it. */
import assert from "node:assert/strict";
import type { ActorRef } from "../../actors/commands.ts";
import { PARTICIPANTS } from "../actors/settings.ts";
import { tell } from "../actors/world.ts";
import { createClockedWorld, fireTimer } from "./clocked.ts";
import { assertFacts } from "./facts.ts";
import {
  AWAITING,
  codeOf,
  inOrder,
  lockOf,
  meet,
  openErasure,
  openRequest,
  phaseNow,
  START,
  WAITING,
} from "./meeting.ts";
import { timerOf } from "./told.ts";

const START_COLLECTING = timerOf("start", "gdpr_access@1");

/** How an access request ends, told one after the other. */
const ENDINGS: Record<string, [type: string, fields: Record<string, unknown>][]> = {
  completed: [
    ...["customer-service", ...PARTICIPANTS].map((service) =>
      ["source.received", { service }] as [string, Record<string, unknown>]
    ),
    ["compiled", {}],
  ],
  cancelled: [["cancel", {}]],
  refused: [["refuse", { reason: "it is manifestly unfounded" }]],
};

for (const [ending, words] of Object.entries(ENDINGS)) {
  Deno.test(`an erasure waits for an access request, and goes on when that is ${ending}`, async (t) => {
    await using world = await createClockedWorld({ graceMs: 0 });
    const last = words.at(-1)!;

    async function arrange() {
      const { customer, request } = await openErasure(world);
      const access = await openRequest(world, customer, "ACCESS");
      await fireTimer(world, access, START_COLLECTING);
      for (const [type, fields] of words.slice(0, -1)) await tell(world, access, type, fields);
      return { customer, request, access, end: () => tell(world, access, ...last) };
    }
    async function assertGoesOn(request: ActorRef) {
      await assertFacts(world.admin, request);
      if (await phaseNow(world, request) === "PENDING.grace") await fireTimer(world, request, START);
      assert.equal(await phaseNow(world, request), AWAITING);
      await assertFacts(world.admin, request);
    }

    await t.step("some time later", async () => {
      const { request, access, end } = await arrange();
      await fireTimer(world, request, START);
      assert.equal(await phaseNow(world, request), WAITING);
      await end();
      await assertFacts(world.admin, access);
      await assertGoesOn(request);
    });
    for (const endFirst of [true, false]) {
      await t.step(
        `at the instant at which it would have begun, ${endFirst ? "before" : "behind"} it`,
        async () => {
          const { customer, request, end } = await arrange();
          await meet(world, customer, [end, () => fireTimer(world, request, START)], endFirst);
          await assertGoesOn(request);
        },
      );
    }
    for (const other of ["hold", "cancel"]) {
      await t.step(`at the instant of a ${other} of the erasure, which both take effect`, async () => {
        const { request, access, end } = await arrange();
        await fireTimer(world, request, START);
        const reason = other === "hold" ? { reason: "a court has asked" } : {};
        const ends = await meet(world, request, [() => tell(world, request, other, reason), end], true);
        assert.deepEqual(ends.map(codeOf), [undefined, undefined]);
        assert.equal(await phaseNow(world, access), "COMPLETED");
        assert.equal(await phaseNow(world, request), other === "hold" ? "PENDING.held" : "COMPLETED");
        await assertFacts(world.admin, request);
      });
    }
  });
}

Deno.test("an erasure that waits for two requests goes on when both end at the same instant", async () => {
  await using world = await createClockedWorld({ graceMs: 0 });
  const { customer, request } = await openErasure(world);
  const access = await openRequest(world, customer, "ACCESS");
  const portability = await openRequest(world, customer, "PORTABILITY");
  await fireTimer(world, request, START);
  await inOrder(
    world.admin,
    lockOf(customer),
    () => tell(world, access, "cancel"),
    () => tell(world, portability, "cancel"),
  );
  assert.equal(await phaseNow(world, request), "PENDING.grace");
  await assertFacts(world.admin, request);
  assert.ok(await fireTimer(world, request, START));
  assert.equal(await phaseNow(world, request), AWAITING);
});
