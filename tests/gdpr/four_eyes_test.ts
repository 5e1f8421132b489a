/** Four eyes: a second person confirms waivers, and erasures that the customer has not requested. */
import assert from "node:assert/strict";
import type { ActorRef } from "../../actors/commands.ts";
import { readReceipt } from "../../actors/gdpr/receipts/file.ts";
import { exportReceipt } from "../../actors/gdpr/receipts/receipt.ts";
import { createStoreReader } from "../../db/store_reader.ts";
import type { Principal } from "../../domain/principal.ts";
import { register, shopper, tell } from "../actors/world.ts";
import { assertInvariants } from "./invariants.ts";
import { createManualClockWorld, DAY, fireTimer, type ManualClockWorld } from "./manual_clock.ts";
import { AWAITING, errorCode, race, readPhase, REFUSED, START } from "./race.ts";
import { FIRST, IDENTIFIED, SECOND, staff } from "./request_events.ts";

const FORBIDDEN = { name: "DomainError", code: "FORBIDDEN" };
const refused = (reason: RegExp) => ({ name: "DomainError", code: REFUSED, message: reason });
const OWN_PROPOSAL = refused(/the person who has proposed it cannot confirm or reject it/);

async function propose(world: ManualClockWorld, by: Principal = staff(world, FIRST)) {
  const customer = await register(world, { firstName: "Ada" });
  const request = { kind: "gdpr_request" as const, storeId: world.storeId, id: crypto.randomUUID() };
  const identity = by.type === "STAFF" ? IDENTIFIED : {};
  await tell(world, request, "open", { customerId: customer.id, right: "ERASURE", ...identity }, { by });
  return { customer, request };
}

/** Opens an erasure that the customer requests, and starts it. */
async function start(world: ManualClockWorld) {
  const customer = await register(world, { firstName: "Ada" });
  const opened = await propose(world, shopper(customer)).catch(() => undefined);
  assert.equal(opened, undefined); // another customer's
  const request = { kind: "gdpr_request" as const, storeId: world.storeId, id: crypto.randomUUID() };
  await tell(world, request, "open", { customerId: customer.id, right: "ERASURE" }, {
    by: shopper(customer),
  });
  await fireTimer(world, request, START);
  assert.equal(await readPhase(world, request), AWAITING);
  return { customer, request };
}

async function rowOf({ admin }: ManualClockWorld, { id }: ActorRef) {
  const [row] = await admin`select * from gdpr_requests where request_id = ${id}`;
  assert.ok(row);
  return row;
}

async function participantOf({ admin }: ManualClockWorld, { id }: ActorRef) {
  const [row] = await admin`select * from gdpr_participants where request_id = ${id}`;
  assert.ok(row);
  return row;
}

Deno.test("staff propose an erasure, and only a second person can start its grace period", async () => {
  await using world = await createManualClockWorld({ graceMs: DAY, fourEyes: true });
  const { customer, request } = await propose(world);
  assert.equal(await readPhase(world, request), "PENDING.proposed");
  const elsewhere = { ...staff(world, SECOND), storeId: crypto.randomUUID() };
  const attempts: [Principal, Parameters<typeof assert.rejects>[1]][] = [
    [staff(world, FIRST), OWN_PROPOSAL],
    [{ ...staff(world, FIRST), roles: ["STORE_MANAGER"] }, OWN_PROPOSAL],
    [{ ...staff(world, SECOND), roles: ["CUSTOMER_MANAGER"] }, FORBIDDEN],
    [world.system, FORBIDDEN],
    [shopper(customer), FORBIDDEN],
    [elsewhere, FORBIDDEN],
  ];
  for (const [by, error] of attempts) {
    await assert.rejects(tell(world, request, "confirm", {}, { by }), error);
  }
  // No other way leads around the second person.
  for (
    const [type, fields] of [["hold", { ground: "LEGAL_CLAIM", reason: "x" }], ["release", {}], [
      "retry",
      {},
    ]] as const
  ) {
    await assert.rejects(tell(world, request, type, fields, { by: staff(world, FIRST) }), refused(/./));
  }
  assert.equal(await fireTimer(world, request, START), false);

  world.now = new Date(world.now.getTime() + 3 * DAY);
  await tell(world, request, "confirm", {}, { by: staff(world, SECOND) });
  const row = await rowOf(world, request);
  assert.deepEqual([row.requestedBy, row.confirmedBy], [FIRST, SECOND]);
  assert.deepEqual(row.confirmedAt, world.now);
  assert.equal(await readPhase(world, request), "PENDING.grace");
  const [timer] = await world.admin`
    select due_at from timers where actor_id = ${request.id} and name = ${START}`;
  assert.deepEqual(timer?.dueAt, new Date(world.now.getTime() + DAY), "the whole grace period follows");
  await assertInvariants(world.admin, request);
});

Deno.test("a service proposes an erasure, too; a restored one and the customer's own need no second person", async () => {
  await using world = await createManualClockWorld({ graceMs: 0, fourEyes: true });
  const { request } = await propose(world, world.system);
  assert.equal(await readPhase(world, request), "PENDING.proposed");

  const customer = await register(world);
  const restored = { kind: "gdpr_request" as const, storeId: world.storeId, id: crypto.randomUUID() };
  await tell(world, restored, "open", { customerId: customer.id, right: "ERASURE", cause: "RESTORE" });
  assert.equal(await readPhase(world, restored), "PENDING.grace");
  const { request: own } = await start(world);
  await assertInvariants(world.admin, own);
});

Deno.test("the customer who requests a proposed erasure confirms it", async () => {
  await using world = await createManualClockWorld({ graceMs: 0, fourEyes: true });
  const { customer, request } = await propose(world);
  const open = (by: Principal) =>
    tell(
      world,
      { ...request, id: crypto.randomUUID() },
      "open",
      { customerId: customer.id, right: "ERASURE", ...(by.type === "STAFF" && IDENTIFIED) },
      { by },
    );
  const again = await open(staff(world, SECOND));
  assert.deepEqual([again.id, again.changed], [request.id, false], "a second opening is no confirmation");
  assert.equal(await readPhase(world, request), "PENDING.proposed");
  assert.equal((await open(shopper(customer))).id, request.id);
  assert.equal(await readPhase(world, request), "PENDING.grace");
  assert.equal((await rowOf(world, request)).confirmedBy, customer.id);
  assert.equal((await open(shopper(customer))).changed, false);
  await assertInvariants(world.admin, request);
});

Deno.test("a proposed erasure is rejected with a reason by a second person, or withdrawn by the first", async () => {
  await using world = await createManualClockWorld({ fourEyes: true });
  const rejected = await propose(world);
  const reason = "the customer has open orders";
  await assert.rejects(
    tell(world, rejected.request, "reject", { reason, ground: "NO_RIGHT" }, { by: staff(world, FIRST) }),
    OWN_PROPOSAL,
  );
  await assert.rejects(tell(world, rejected.request, "reject", {}, { by: staff(world, SECOND) }), {
    code: "INVALID_INPUT",
  });
  await tell(world, rejected.request, "reject", { reason, ground: "NO_RIGHT" }, { by: staff(world, SECOND) });
  const row = await rowOf(world, rejected.request);
  assert.deepEqual([row.outcome, row.refusalReason], ["REFUSED", reason]);

  const withdrawn = await propose(world);
  await assert.rejects(
    tell(world, withdrawn.request, "withdraw", {}, { by: staff(world, SECOND) }),
    refused(/only the person who has proposed it can withdraw it/),
  );
  await tell(world, withdrawn.request, "withdraw", {}, { by: staff(world, FIRST) });
  assert.equal((await rowOf(world, withdrawn.request)).outcome, "CANCELLED");

  const canceled = await propose(world);
  await tell(world, canceled.request, "cancel", {}, { by: shopper(canceled.customer) });
  assert.equal((await rowOf(world, canceled.request)).outcome, "CANCELLED");
  for (const { request, customer } of [rejected, withdrawn, canceled]) {
    await assertInvariants(world.admin, request);
    const [{ email } = {}] = await world
      .admin`select email from customers where customer_id = ${customer.id}`;
    assert.ok(email, "nothing is erased");
  }
});

Deno.test("a waiver of an erasure waits for a second person, and the participant may still confirm", async () => {
  await using world = await createManualClockWorld({ participants: ["orders"], graceMs: 0, fourEyes: true });
  const reason = "the service was switched off";
  const proposal = { service: "orders", reason };
  const first = { by: staff(world, FIRST) };
  const second = { by: staff(world, SECOND) };
  const proposed = async () => {
    const { request } = await start(world);
    await tell(world, request, "waive", proposal, first);
    assert.equal((await participantOf(world, request)).state, "ASKED");
    return request;
  };

  const waived = await proposed();
  for (const by of [staff(world, FIRST), { ...staff(world, FIRST), roles: ["STORE_MANAGER"] as const }]) {
    await assert.rejects(tell(world, waived, "confirm", { service: "orders" }, { by }), OWN_PROPOSAL);
  }
  await assert.rejects(tell(world, waived, "waive", proposal, second), refused(/./));
  await assert.rejects(tell(world, waived, "confirm", {}, second), refused(/./));
  await assert.rejects(
    tell(world, waived, "confirm", { service: "orders" }, { by: world.system }),
    FORBIDDEN,
  );
  await tell(world, waived, "confirm", { service: "orders" }, second);
  const row = await participantOf(world, waived);
  await tell(world, waived, "verified", { residue: 0 });
  assert.deepEqual(
    [row.state, row.waiverReason, row.waiverProposedBy, row.waiverConfirmedBy],
    ["WAIVED", reason, FIRST, SECOND],
  );
  assert.equal((await rowOf(world, waived)).outcome, "FULFILLED_WITH_WAIVERS");
  await assertInvariants(world.admin, waived);
  const reader = createStoreReader(world.database.pool("customer_api"));
  const file = await exportReceipt(reader, { storeId: world.storeId, requestId: waived.id });
  const receipt = readReceipt(JSON.stringify(file));
  assert.ok(typeof receipt === "object");
  assert.equal(receipt.document.outcome, "FULFILLED_WITH_WAIVERS");
  const [participant] = receipt.document.participants;
  assert.deepEqual([participant?.waiverProposedBy, participant?.waiverConfirmedBy], [FIRST, SECOND]);
  const [erased] = await world.admin`
    select payload from outbox where topic = 'customer.erased' and payload->>'requestId' = ${waived.id}`;
  assert.deepEqual(erased?.payload.waivedParticipants, ["orders"]);

  const confirmed = await proposed();
  await tell(world, confirmed, "participant.confirm", { service: "orders" });
  await tell(world, confirmed, "verified", { residue: 0 });
  assert.equal((await rowOf(world, confirmed)).outcome, "FULFILLED");
  assert.equal((await participantOf(world, confirmed)).waiverReason, null);
  await assertInvariants(world.admin, confirmed);

  for (const [type, text, by] of [["reject", "reason", second], ["withdraw", "note", first]] as const) {
    const open = await proposed();
    await tell(world, open, type, { service: "orders", [text]: "it answers again" }, by);
    assert.equal((await participantOf(world, open)).waiverReason, null);
    assert.equal(await readPhase(world, open), AWAITING);
    await assertInvariants(world.admin, open);
    await tell(world, open, "waive", proposal, second); // another proposal, now by the other person
    await tell(world, open, "confirm", { service: "orders" }, first);
    await assertInvariants(world.admin, open);
  }
});

Deno.test("a participant becomes overdue while its waiver is proposed, and stays so after a rejection", async () => {
  await using world = await createManualClockWorld({ participants: ["orders"], graceMs: 0, fourEyes: true });
  const { request } = await start(world);
  await tell(world, request, "waive", { service: "orders", reason: "it is late" }, {
    by: staff(world, FIRST),
  });
  assert.ok(await fireTimer(world, request, "overdue orders"));
  assert.equal((await participantOf(world, request)).state, "OVERDUE");
  await assertInvariants(world.admin, request);
  const rejection = { service: "orders", reason: "wait" };
  await tell(world, request, "reject", rejection, { by: staff(world, SECOND) });
  const { snapshot } = await rowOf(world, request);
  assert.deepEqual(snapshot.value, { IN_PROGRESS: { awaiting_confirmations: { orders: "overdue" } } });
  await assertInvariants(world.admin, request);
});

Deno.test("a confirmation of a waiver concurrent with its withdrawal or with the participant's confirmation", async (t) => {
  await using world = await createManualClockWorld({ participants: ["orders"], graceMs: 0, fourEyes: true });
  for (const other of ["withdraw", "participant.confirm"]) {
    for (const confirmFirst of [true, false]) {
      await t.step(`${confirmFirst ? "before" : "after"} ${other}`, async () => {
        const { request } = await start(world);
        const about = { service: "orders" };
        await tell(world, request, "waive", { ...about, reason: "it is off" }, { by: staff(world, FIRST) });
        const by = other === "withdraw" ? { by: staff(world, FIRST) } : {};
        const results = await race(world, request, [
          () => tell(world, request, "confirm", about, { by: staff(world, SECOND) }),
          () => tell(world, request, other, about, by),
        ], confirmFirst);
        assert.deepEqual(
          results.map(errorCode),
          confirmFirst ? [undefined, REFUSED] : [REFUSED, undefined],
        );
        await assertInvariants(world.admin, request);
      });
    }
  }
});

Deno.test("without four eyes, one person waives and erases; a waiver has its own outcome all the same", async () => {
  await using world = await createManualClockWorld({ participants: ["orders"], graceMs: 0 });
  const { request } = await propose(world);
  await fireTimer(world, request, START);
  await tell(world, request, "waive", { service: "orders", reason: "off" }, { by: staff(world, FIRST) });
  await tell(world, request, "verified", { residue: 0 });
  assert.equal((await rowOf(world, request)).outcome, "FULFILLED_WITH_WAIVERS");
  await assertInvariants(world.admin, request);
});
