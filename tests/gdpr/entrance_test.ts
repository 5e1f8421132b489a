/** Entrance of requests: their receipt, who may state it, and the check of the identity. */
import assert from "node:assert/strict";
import type { Principal } from "../../domain/principal.ts";
import { register, shopper, tell } from "../actors/world.ts";
import { createManualClockWorld, DAY, fireTimer, type ManualClockWorld } from "./manual_clock.ts";
import { assertInvariants } from "./invariants.ts";
import { timerName } from "./request_events.ts";
import { createRequestFixture } from "./request_fixture.ts";

const START = new Date("2026-03-10T09:00:00Z"); // a Tuesday
const INVALID = "INVALID_INPUT";
const CHECK = { method: "EMAIL_REPLY", reference: "ticket 4711" };

async function journalOf({ admin }: ManualClockWorld, id: string) {
  return [
    ...await admin`select event_type, reason, note from actor_events where actor_id = ${id} order by sequence`,
  ];
}

Deno.test("a request counts from its receipt, in the time zone of the store, and keeps channel and note", async () => {
  await using world = await createManualClockWorld({ graceMs: DAY }, START);
  const fixture = createRequestFixture(world);
  const settings = { kind: "store_settings" as const, storeId: world.storeId, id: world.storeId };
  await tell(world, settings, "settings.change", { timeZone: "Europe/Zurich" }, { by: world.officer });
  const open = async (fields: Record<string, unknown>, by: Principal = world.officer) => {
    const request = await fixture.open(await register(world, { firstName: "Grete" }), "ACCESS", fields, {
      by,
    });
    await assertInvariants(world.admin, request);
    return await fixture.row(request);
  };

  const letter = await open({ channel: "LETTER", receivedAt: "2026-03-01", note: "lay in the post room" });
  assert.deepEqual([letter.channel, letter.receivedAt, letter.createdAt], [
    "LETTER",
    new Date("2026-02-28T23:00:00Z"),
    START,
  ]);
  assert.deepEqual(letter.dueAt, new Date("2026-04-01T21:59:59.999Z"));
  const [opened] = await journalOf(world, letter.requestId);
  assert.equal(opened?.note, "lay in the post room");

  const late = await open({ channel: "EMAIL", receivedAt: "2026-01-09T23:30:00+01:00", identity: CHECK });
  assert.deepEqual(late.dueAt, new Date("2026-02-09T22:59:59.999Z"));
  const ref = { kind: "gdpr_request" as const, storeId: world.storeId, id: late.requestId };
  await fireTimer(world, ref, "clock.overdue");
  assert.equal(
    await world.admin`select 1 from outbox where payload->>'action' = 'GDPR_REQUEST_OVERDUE'`
      .then(({ length }) => length),
    1,
    "a request that was entered after its due date is overdue at once",
  );

  world.now = START;
  const bounds = ["2025-03-10", "2026-03-10", "2026-03-10T09:00:00Z"];
  for (const receivedAt of bounds) await open({ receivedAt });
  const refused = [
    "2025-03-07",
    "2026-03-11",
    "2026-03-10T09:00:01Z",
    "2026-02-30",
    "yesterday",
    "2026-03-01T10:00:00",
    "",
  ];
  for (const receivedAt of refused) await assert.rejects(open({ receivedAt }), { code: INVALID }, receivedAt);
  await assert.rejects(open({ channel: "PIGEON" }), { code: INVALID });
  await assert.rejects(open({ note: "Grete called" }), { code: INVALID }, "the note quotes the customer");
  await assert.rejects(open({ identity: { ...CHECK, reference: "Grete's passport" } }), { code: INVALID });
  await assert.rejects(open({ identity: { method: "GUESS" } }), { code: INVALID });
});

Deno.test("only a signed-in customer needs no check, and states nothing about the entrance", async () => {
  await using world = await createManualClockWorld({ graceMs: DAY, fourEyes: false }, START);
  const fixture = createRequestFixture(world);
  const service = world.system;
  const stateOf = async (by: Principal | "customer", fields: Record<string, unknown>, right = "ACCESS") => {
    const customer = await register(world);
    const request = await fixture.open(customer, right, fields, {
      by: by === "customer" ? shopper(customer) : by,
    });
    await assertInvariants(world.admin, request);
    const { snapshot, channel, identityMethod } = await fixture.row(request);
    const { value } = snapshot;
    return [typeof value === "string" ? value : Object.values(value)[0], channel, identityMethod];
  };
  const representative = { ground: "INHERITANCE", name: "Rosa Example", reference: "certificate 12" };

  assert.deepEqual(await stateOf("customer", {}), ["recorded", "ACCOUNT", "SIGNED_IN"]);
  assert.deepEqual(await stateOf(service, {}), ["recorded", "ACCOUNT", "SIGNED_IN"]);
  assert.deepEqual(await stateOf(service, { channel: "FORM" }), ["identifying", "FORM", null]);
  assert.deepEqual(await stateOf(service, { representative }), ["identifying", "ACCOUNT", null]);
  assert.deepEqual(await stateOf(world.officer, {}), ["identifying", "OTHER", null]);
  assert.deepEqual(await stateOf(world.officer, {}, "ERASURE"), ["identifying", "OTHER", null]);
  assert.deepEqual(await stateOf(world.officer, { channel: "PHONE", identity: CHECK }), [
    "recorded",
    "PHONE",
    "EMAIL_REPLY",
  ]);
  assert.deepEqual(await stateOf(service, { cause: "RESTORE" }, "ERASURE"), ["grace", "OTHER", null]);

  const statements = [
    { channel: "ACCOUNT" },
    { channel: "LETTER" },
    { receivedAt: "2026-03-01" },
    { note: "please hurry" },
    { identity: CHECK },
    { representative },
  ];
  for (const fields of statements) await assert.rejects(stateOf("customer", fields), { code: INVALID });
  await assert.rejects(stateOf(world.officer, { channel: "ACCOUNT" }), { code: INVALID });
  const corrections = { firstName: "Ada" };
  await assert.rejects(stateOf(world.officer, { corrections }, "RECTIFICATION"), {
    code: INVALID,
    message: /identity is required/,
  });
  assert.deepEqual(await stateOf(world.officer, { corrections, identity: CHECK }, "RECTIFICATION"), [
    "COMPLETED",
    "OTHER",
    "EMAIL_REPLY",
  ]);
});

Deno.test("staff verify an identity; what was requested pauses the clock until it is received", async () => {
  await using world = await createManualClockWorld({ graceMs: DAY }, START);
  const fixture = createRequestFixture(world);
  const customer = await register(world);
  const request = await fixture.open(customer, "ACCESS", { channel: "EMAIL" }, { by: world.officer });
  assert.deepEqual((await fixture.row(request)).dueAt, new Date("2026-04-10T23:59:59.999Z"));
  for (const by of [shopper(customer), world.system, world.staff]) {
    await assert.rejects(fixture.tell(request, "identity.verify", CHECK, { by }), { code: "FORBIDDEN" });
  }
  await assert.rejects(
    fixture.tell(request, "information.request", {}),
    { code: INVALID },
    "without a reason",
  );
  await fixture.tell(request, "information.request", {
    reason: "the email differs from that of the account",
  });
  await assertInvariants(world.admin, request);
  assert.deepEqual((await fixture.row(request)).informationRequestedAt, START);
  await assert.rejects(fixture.tell(request, "extend", { reason: "many systems" }), {
    code: "REFUSED_IN_STATE",
  });
  await assert.rejects(fixture.tell(request, "identity.verify", CHECK), { code: "REFUSED_IN_STATE" });

  world.now = new Date("2026-03-27T15:00:00Z");
  for (const receivedAt of ["2026-03-09", "2026-03-28", "2026-03-27T15:00:01Z"]) {
    await assert.rejects(fixture.tell(request, "information.receive", { receivedAt }), { code: INVALID });
  }
  await fixture.tell(request, "information.receive", { receivedAt: "2026-03-25" });
  await assertInvariants(world.admin, request);
  const resumed = await fixture.row(request);
  // 15 days: 25 April is a Saturday.
  assert.deepEqual([resumed.dueAt, resumed.informationRequestedAt], [
    new Date("2026-04-27T23:59:59.999Z"),
    null,
  ]);
  await fixture.tell(request, "extend", { reason: "many systems" });
  assert.deepEqual(
    (await fixture.row(request)).dueAt,
    new Date("2026-06-25T23:59:59.999Z"),
    "with the pause",
  );

  await fixture.tell(request, "identity.verify", CHECK);
  await assertInvariants(world.admin, request);
  const verified = await fixture.row(request);
  assert.deepEqual(
    [verified.snapshot.value, verified.identityMethod, verified.identityReference, verified.identifiedBy],
    [{ PENDING: "recorded" }, "EMAIL_REPLY", "ticket 4711", world.officer.id],
  );
});

Deno.test("a request ends after three failed checks, or without the information; its grace period starts with the check", async () => {
  await using world = await createManualClockWorld({ graceMs: 3 * DAY, fourEyes: false }, START);
  const fixture = createRequestFixture(world);
  const open = async () => fixture.open(await register(world), "ERASURE", {}, { by: world.officer });

  const failing = await open();
  for (let check = 1; check <= 3; check++) {
    await fixture.tell(failing, "identity.fail", { reason: "no answer" });
  }
  const failed = await fixture.row(failing);
  assert.deepEqual([failed.outcome, failed.identityFailures], ["NOT_IDENTIFIED", 3]);

  const silent = await open();
  await fixture.tell(silent, "information.request", { reason: "the address is unknown" });
  assert.ok(await fireTimer(world, silent, timerName("information-expire", "gdpr_erasure@1")));
  assert.equal((await fixture.row(silent)).outcome, "NOT_IDENTIFIED");
  assert.deepEqual(world.now, new Date(START.getTime() + 30 * DAY));
  assert.equal((await journalOf(world, silent.id)).at(-1)?.eventType, "information.expired");

  const verified = await open();
  world.now = new Date(world.now.getTime() + 5 * DAY);
  await fixture.tell(verified, "identity.verify", CHECK);
  const { snapshot } = await fixture.row(verified);
  assert.equal(snapshot.context.startsAt, world.now.getTime() + 3 * DAY, "not from the opening");
  world.settings.fourEyes = true;
  const proposed = await open();
  world.now = new Date(world.now.getTime() + 5 * DAY);
  await fixture.tell(proposed, "identity.verify", CHECK);
  world.now = new Date(world.now.getTime() + 2 * DAY);
  await fixture.tell(proposed, "confirm", {}, { by: { ...world.officer, id: crypto.randomUUID() } });
  const { context } = (await fixture.row(proposed)).snapshot;
  assert.equal(context.startsAt, world.now.getTime() + 3 * DAY, "from the confirmation on, and not longer");
  for (const request of [failing, silent, verified, proposed]) await assertInvariants(world.admin, request);
});

Deno.test("a request without a checked identity neither blocks nor delays the customer's own requests", async () => {
  await using world = await createManualClockWorld({ graceMs: DAY, participants: [] }, START);
  const fixture = createRequestFixture(world);
  const customer = await register(world);
  const letters = await Promise.all(
    ["ACCESS", "PORTABILITY", "ERASURE"].map((right) =>
      fixture.open(customer, right, { channel: "LETTER" }, { by: world.officer })
    ),
  );
  const again = await fixture.open(customer, "ERASURE", { channel: "EMAIL" }, { by: world.officer });
  assert.equal(again.id, letters[2]?.id, "a second letter joins the first");

  const own = await fixture.open(customer, "ERASURE", {}, { by: shopper(customer) });
  assert.notEqual(own.id, letters[2]?.id);
  await assert.rejects(fixture.tell(letters[2]!, "identity.verify", CHECK), { code: "ALREADY_EXISTS" });
  world.now = new Date(START.getTime() + DAY);
  assert.ok(await fireTimer(world, own, timerName("start", "gdpr_erasure@1")));
  await fixture.work(world.now);
  assert.equal((await fixture.row(own)).outcome, "FULFILLED", "it did not wait for the letters");
  for (const letter of letters) {
    assert.equal((await fixture.row(letter)).outcome, "NOT_IDENTIFIED", "the erasure has ended the letters");
    assert.equal((await journalOf(world, letter.id)).at(-1)?.eventType, "subject.erased");
    await assertInvariants(world.admin, letter); // they have notices with sealed recipients
    await assert.rejects(fixture.tell(letter, "identity.verify", CHECK), { code: "REFUSED_IN_STATE" });
    await assert.rejects(fixture.tell(letter, "subject.erased", {}, { by: world.officer }), {
      code: "FORBIDDEN",
    });
  }
  const stranger = await fixture.open(await register(world), "ACCESS", { channel: "LETTER" }, {
    by: world.officer,
  });
  assert.equal((await fixture.row(stranger)).outcome, null, "of another customer");
  const [reference] = await world.admin`
    select count(*)::int as texts from gdpr_requests where identity_reference is not null`;
  assert.equal(reference?.texts, 0);
});

Deno.test("a person may make a request on behalf of the customer, whose erasure removes the name", async () => {
  await using world = await createManualClockWorld({ graceMs: 0, participants: [], fourEyes: false }, START);
  const fixture = createRequestFixture(world);
  const customer = await register(world, { lastName: "Example" });
  const representative = {
    ground: "PARENTAL_RESPONSIBILITY",
    name: "Rosa Example",
    reference: "birth certificate",
  };
  const open = (fields: Record<string, unknown>) =>
    fixture.open(customer, "ERASURE", { channel: "LETTER", ...fields }, { by: world.officer });
  await assert.rejects(open({ representative: { ...representative, ground: "FRIENDSHIP" } }), {
    code: INVALID,
  });
  await assert.rejects(open({ representative: { ground: "GUARDIANSHIP" } }), { code: INVALID });
  const request = await open({ representative, identity: CHECK });
  const opened = await fixture.row(request);
  assert.deepEqual([opened.representativeGround, opened.representativeName, opened.representativeReference], [
    "PARENTAL_RESPONSIBILITY",
    "Rosa Example",
    "birth certificate",
  ]);
  await fixture.work(world.now);
  const erased = await fixture.row(request);
  assert.deepEqual(
    [erased.outcome, erased.representativeGround, erased.representativeName, erased.identityReference],
    ["FULFILLED", "PARENTAL_RESPONSIBILITY", null, null],
  );
});

Deno.test("a customer needs a recent sign-in to request and to start the own erasure, and for nothing else", async () => {
  await using world = await createManualClockWorld({ graceMs: DAY, maxSignInAgeMs: 15 * 60_000 }, START);
  const fixture = createRequestFixture(world);
  const customer = await register(world);
  const signedIn = (minutes: number | undefined): Principal => {
    const { authenticatedAt: _, ...by } = shopper(customer);
    return minutes === undefined
      ? by
      : { ...by, authenticatedAt: new Date(START.getTime() - minutes * 60_000) };
  };
  const required = { code: "RECENT_SIGN_IN_REQUIRED", message: /within the last 15 minutes/ };
  for (const minutes of [undefined, 16, 24 * 60]) {
    await assert.rejects(fixture.open(customer, "ERASURE", {}, { by: signedIn(minutes) }), required);
    await fixture.open(customer, "ACCESS", {}, { by: signedIn(minutes) });
  }
  const erasure = await fixture.open(customer, "ERASURE", {}, { by: signedIn(15) });
  await assert.rejects(fixture.tell(erasure, "proceed", {}, { by: signedIn(16) }), required);
  await assert.rejects(fixture.tell(erasure, "proceed", {}, { by: signedIn(15) }), {
    code: "REFUSED_IN_STATE",
  });
  await assert.rejects(fixture.tell(erasure, "proceed", {}, { by: shopper(await register(world)) }), {
    code: "FORBIDDEN",
  });
  await fixture.tell(erasure, "cancel", {}, { by: signedIn(undefined) });
  assert.equal((await fixture.row(erasure)).outcome, "CANCELLED");

  // A joined proposal is a request of the customer too.
  world.settings.fourEyes = true;
  const proposed = await fixture.open(customer, "ERASURE", { identity: CHECK }, { by: world.officer });
  await assert.rejects(fixture.open(customer, "ERASURE", {}, { by: signedIn(16) }), required);
  assert.deepEqual((await fixture.row(proposed)).snapshot.value, { PENDING: "proposed" });
});

Deno.test("a check of the identity that is concurrent with the start of an erasure comes before or after it", async () => {
  await using world = await createManualClockWorld({ graceMs: DAY, participants: [] }, START);
  const fixture = createRequestFixture(world);
  for (let round = 0; round < 8; round++) {
    world.now = START;
    const customer = await register(world);
    const letter = await fixture.open(customer, "ACCESS", { channel: "LETTER" }, { by: world.officer });
    await fixture.tell(letter, "identity.fail", { reason: "no answer" }); // a text that the erasure removes
    const own = await fixture.open(customer, "ERASURE", {}, { by: shopper(customer) });
    world.now = new Date(START.getTime() + DAY);
    const start = () => fireTimer(world, own, timerName("start", "gdpr_erasure@1"));
    const verify = () => fixture.tell(letter, "identity.verify", CHECK);
    const order = round % 2 === 0 ? [start, verify] : [verify, start];
    const results = await Promise.allSettled(order.map((run) => run()));
    const [started, verified] = round % 2 === 0 ? results : results.toReversed();
    assert.equal(started?.status, "fulfilled");
    const { value } = (await fixture.row(own)).snapshot;
    if (verified?.status === "fulfilled") assert.deepEqual(value, { PENDING: "waiting_for_access" });
    else {
      assert.equal(verified?.reason.code, "REFUSED_IN_STATE");
      assert.deepEqual(value, { IN_PROGRESS: "verifying" });
    }
    for (const request of [letter, own]) await assertInvariants(world.admin, request);
  }
});
