/** Erasures that wait for open access requests, and always continue afterwards. */
import assert from "node:assert/strict";
import type { ActorRef } from "../../actors/commands.ts";
import { PARTICIPANTS } from "../actors/settings.ts";
import { tell } from "../actors/world.ts";
import { createManualClockWorld, fireTimer } from "./manual_clock.ts";
import { assertInvariants } from "./invariants.ts";
import {
  AWAITING,
  errorCode,
  openErasure,
  openRequest,
  race,
  readPhase,
  rowLock,
  runInOrder,
  START,
  WAITING,
} from "./race.ts";
import { timerName } from "./request_events.ts";

const START_COLLECTING = timerName("start", "gdpr_access@1");

/** Events that end an access request, in order. */
const ENDINGS: Record<string, [type: string, fields: Record<string, unknown>][]> = {
  completed: [
    ...["customer-service", ...PARTICIPANTS].map((service) =>
      ["source.received", { service }] as [string, Record<string, unknown>]
    ),
    ["compiled", {}],
  ],
  canceled: [["cancel", {}]],
  refused: [["refuse", { reason: "it is manifestly unfounded", ground: "MANIFESTLY_UNFOUNDED" }]],
};

for (const [ending, events] of Object.entries(ENDINGS)) {
  Deno.test(`an erasure waits for an access request, and continues when that is ${ending}`, async (t) => {
    await using world = await createManualClockWorld({ graceMs: 0 });
    const last = events.at(-1)!;

    async function arrange() {
      const { customer, request } = await openErasure(world);
      const access = await openRequest(world, customer, "ACCESS");
      await fireTimer(world, access, START_COLLECTING);
      for (const [type, fields] of events.slice(0, -1)) await tell(world, access, type, fields);
      return { customer, request, access, end: () => tell(world, access, ...last) };
    }
    async function assertContinues(request: ActorRef) {
      await assertInvariants(world.admin, request);
      if (await readPhase(world, request) === "PENDING.grace") await fireTimer(world, request, START);
      assert.equal(await readPhase(world, request), AWAITING);
      await assertInvariants(world.admin, request);
    }

    await t.step("later", async () => {
      const { request, access, end } = await arrange();
      await fireTimer(world, request, START);
      assert.equal(await readPhase(world, request), WAITING);
      await end();
      await assertInvariants(world.admin, access);
      await assertContinues(request);
    });
    for (const endFirst of [true, false]) {
      await t.step(
        `concurrently, ${endFirst ? "before" : "after"} the start of the erasure`,
        async () => {
          const { customer, request, end } = await arrange();
          await race(world, customer, [end, () => fireTimer(world, request, START)], endFirst);
          await assertContinues(request);
        },
      );
    }
    for (const other of ["hold", "cancel"]) {
      await t.step(`concurrently with a ${other} of the erasure, and both take effect`, async () => {
        const { request, access, end } = await arrange();
        await fireTimer(world, request, START);
        const reason = other === "hold" ? { ground: "AUTHORITY_ORDER", reason: "a court order" } : {};
        const results = await race(world, request, [() => tell(world, request, other, reason), end], true);
        assert.deepEqual(results.map(errorCode), [undefined, undefined]);
        assert.ok((await readPhase(world, access)).startsWith("COMPLETED"));
        assert.equal(await readPhase(world, request), other === "hold" ? "PENDING.held" : "COMPLETED");
        await assertInvariants(world.admin, request);
      });
    }
  });
}

Deno.test("an erasure that waits for two requests continues when both end concurrently", async () => {
  await using world = await createManualClockWorld({ graceMs: 0 });
  const { customer, request } = await openErasure(world);
  const access = await openRequest(world, customer, "ACCESS");
  const portability = await openRequest(world, customer, "PORTABILITY");
  await fireTimer(world, request, START);
  await runInOrder(
    world.admin,
    rowLock(customer),
    () => tell(world, access, "cancel"),
    () => tell(world, portability, "cancel"),
  );
  assert.equal(await readPhase(world, request), "PENDING.grace");
  await assertInvariants(world.admin, request);
  assert.ok(await fireTimer(world, request, START));
  assert.equal(await readPhase(world, request), AWAITING);
});
