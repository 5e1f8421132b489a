/** Free text about a customer: refused where it quotes the customer, and removed by the erasure. */
import assert from "node:assert/strict";
import { verifyErasure } from "../../actors/gdpr/effects/verify.ts";
import { isTextOf } from "../../actors/gdpr/receipts/text_digest.ts";
import type { ActorRef } from "../../actors/commands.ts";
import type { Sql } from "../../db/connect.ts";
import { exportReceipt } from "../../actors/gdpr/receipts/receipt.ts";
import { createStoreReader } from "../../db/store_reader.ts";
import { ADDRESS, register, tell } from "../actors/world.ts";
import { captureLog } from "../captured_log.ts";
import { createManualClockWorld, DAY, type ManualClockWorld } from "./manual_clock.ts";
import { createRequestFixture } from "./request_fixture.ts";

const SERVICE = "order-service";
const OTHER_SERVICE = "payment-service";
const PERSON = {
  email: "Hrumblewort@plixmail2.example",
  firstName: "Fimblethorn",
  lastName: "Kvetchmann",
  phone: "+442079460333",
};
const HOME = { ...ADDRESS, line1: "Snorbelweg 17", city: "Quizzelheim", postalCode: "QXZ-90417" };

/** Ways to quote the person with values that are stored now. */
const RECOGNIZED = [
  "Hrumblewort@plixmail2.example wrote",
  "Kvetchmann",
  "Kvetchmanns Bestellung",
  "login hrumblewort",
  "lives in Snorbelweg",
  "+44 20 7946 0333",
  "020 7946 0333",
  "QXZ 90417",
  "Kvetch mann",
  "formerly Vrxqualmy.Torbenko@plixmail2.example",
];
/** Ways to quote the person that no check can recognize: earlier values, and encodings. */
const UNRECOGNIZED = [
  "born Stolvarik",
  "Tralfamgasse 5",
  "once vrxqualmy",
  "SHJ1bWJsZXdvcnRAcGxpeG1haWwyLmV4YW1wbGU=",
];
/** Texts that must be in no place after the erasure; no random ID may contain one. */
const ERASED_TEXTS =
  /hrumblewort|fimblethorn|kvetch|snorbel|quizzel|7946 ?0333|qxz|vrxqualmy|torbenko|plixmail|stolvarik|tralfam|SHJ1bWJs/i;

Deno.test("reasons and evidence that quote the customer are refused with a sentence that does not repeat them", async () => {
  await using world = await createManualClockWorld({ participants: [SERVICE], graceMs: DAY });
  const fixture = createRequestFixture(world);
  const customer = await registerPerson(world);
  const erasure = await fixture.open(customer, "ERASURE");
  const by = world.officer;
  const about = ["hold", "extend", "refuse", "cancel"].flatMap((type) =>
    (["reason", "note"] as const).map((field) => ({ type, field }))
  );
  for (const text of RECOGNIZED) {
    for (const { type, field } of about) {
      const refused: Error = await fixture.tell(erasure, type, {
        reason: "x",
        [field]: text,
        ...(type === "refuse" && { ground: "NO_RIGHT" }),
        ...(type === "hold" && { ground: "LEGAL_CLAIM" }),
      }, { by })
        .then(() => assert.fail(`${type}: ${text}`), (error) => error);
      assert.equal((refused as Error & { code: string }).code, "INVALID_INPUT", text);
      assert.match(refused.message, new RegExp(`^Cannot .*: ${field} must not contain an? `));
      assert.doesNotMatch(refused.message, ERASED_TEXTS);
    }
  }
  for (const text of UNRECOGNIZED) {
    await fixture.tell(erasure, "hold", { ground: "LEGAL_CLAIM", reason: text }, { by });
    await fixture.tell(erasure, "release", { note: "2 orders of 2026-11-29, invoice INV-2026000123" }, {
      by,
    });
  }
  const other = await fixture.open(await register(world), "ERASURE");
  await fixture.tell(other, "hold", { ground: "LEGAL_CLAIM", reason: "as Kvetchmann" }, { by });
  assert.deepEqual(await reasonsOf(world, other), [["hold", "as Kvetchmann", true]]);
});

Deno.test("an erasure removes every reason and evidence of its customer from every table, log line and receipt", async () => {
  await using world = await createManualClockWorld({
    participants: [SERVICE, OTHER_SERVICE],
    graceMs: DAY,
  });
  await using log = await captureLog();
  const fixture = createRequestFixture(world, {
    "erasure.verify": verifyErasure,
    "source.collect": () => Promise.resolve("done"), // no participant responds
  });
  const customer = await registerPerson(world);
  const [first = "", second = "", third = "", fourth = ""] = UNRECOGNIZED;
  const access = await fixture.open(customer, "ACCESS");
  await fixture.work(world.now);
  await fixture.tell(access, "retry", { service: SERVICE, note: first });
  await fixture.tell(access, "waive", { service: SERVICE, reason: second });
  await fixture.tell(access, "refuse", { reason: third, ground: "EXCESSIVE" });
  const portability = await fixture.open(customer, "PORTABILITY");
  await fixture.tell(portability, "cancel", { reason: fourth });
  const erasure = await fixture.open(customer, "ERASURE");
  await fixture.tell(erasure, "hold", { ground: "LEGAL_CLAIM", reason: first });
  await fixture.tell(erasure, "release", { note: second });
  // Written before the check existed, in the spellings that it refuses today.
  const planted = [...RECOGNIZED, ...UNRECOGNIZED].join("; ");
  await world.admin`update actor_events set reason = ${planted}, reason_given = true
    where actor_id = ${customer.id} or (actor_id = ${erasure.id} and event_type = 'release')`;
  await world.admin`update gdpr_requests set hold_reason = ${planted} where request_id = ${erasure.id}`;
  const other = await fixture.open(await register(world), "ERASURE");
  await fixture.tell(other, "hold", { ground: "LEGAL_CLAIM", reason: "an unrelated lawsuit" });
  assert.ok((await dump(world.admin)).match(ERASED_TEXTS), "the search sees what is planted");

  world.now = new Date(world.now.getTime() + DAY);
  await fixture.work(world.now);
  const begun = await fixture.row(erasure);
  assert.equal(begun.status, "IN_PROGRESS");
  assert.doesNotMatch(await dump(world.admin), ERASED_TEXTS, "after the point of no return");
  assert.deepEqual(begun.cleared.tables.actor_events, { request: 12 }, "reasons and notes");
  assert.deepEqual(begun.cleared.tables.gdpr_requests, { request: 3 });
  assert.deepEqual(begun.cleared.tables.gdpr_participants, { request: 1 });

  await fixture.tell(erasure, "extend", { reason: "afterwards about Kvetchmann" });
  await fixture.tell(erasure, "participant.confirm", {
    service: SERVICE,
    evidence: "kept invoice of Fimblethorn Kvetchmann",
  });
  for (const evidence of ["2 orders of hrumblewort@plixmail2.example", "0044 20 7946 0333"]) {
    await assert.rejects(fixture.tell(erasure, "participant.confirm", { service: OTHER_SERVICE, evidence }), {
      code: "INVALID_INPUT",
    });
  }
  await fixture.tell(erasure, "waive", { service: OTHER_SERVICE, reason: "informed Kvetch mann by phone" });
  await fixture.work(world.now);
  const done = await fixture.row(erasure);
  assert.equal(done.outcome, "FULFILLED_WITH_WAIVERS");
  assert.doesNotMatch(await dump(world.admin), ERASED_TEXTS, "after the completion");
  assert.doesNotMatch(log.lines.join("\n"), ERASED_TEXTS);
  assert.deepEqual(done.cleared.tables.actor_events, { request: 14 });
  assert.deepEqual(done.cleared.tables.gdpr_requests, { request: 4 });
  assert.deepEqual(done.cleared.tables.gdpr_participants, { request: 3 });

  const reader = createStoreReader(world.database.pool("customer_api"));
  const receipt = await exportReceipt(reader, { storeId: world.storeId, requestId: erasure.id });
  assert.ok(receipt);
  // deno-lint-ignore no-explicit-any -- the contents of a receipt
  const { participants, reasons, cleared } = receipt.document as any;
  assert.deepEqual(cleared, done.cleared.tables);
  assert.ok(isTextOf(reasons.hold, planted));
  assert.ok(isTextOf(reasons.extension, "afterwards about Kvetchmann"));
  assert.ok(isTextOf(participants[0].evidence, "kept invoice of Fimblethorn Kvetchmann"));
  assert.ok(isTextOf(participants[1].waiverReason, "informed Kvetch mann by phone"));
  assert.doesNotMatch(JSON.stringify(receipt), ERASED_TEXTS);

  for (const request of [access, portability, erasure]) {
    for (const [type, reason, given] of await reasonsOf(world, request)) {
      assert.deepEqual([reason, given], [null, true], `there was a reason for ${type}`);
    }
  }
  assert.deepEqual(await reasonsOf(world, other), [["hold", "an unrelated lawsuit", true]]);
  assert.equal((await fixture.row(other)).holdReason, "an unrelated lawsuit");
});

Deno.test("names of groups with an email address or a phone number are refused", async () => {
  await using world = await createManualClockWorld();
  for (const name of ["VIP grace@example.com", "Call 020 7946 0333"]) {
    const group = { kind: "shopper_group" as const, storeId: world.storeId, id: crypto.randomUUID() };
    const values = { name, priceListId: crypto.randomUUID(), priority: 1 };
    await assert.rejects(
      tell(world, group, "group.create", values),
      /name must not contain an? (email|phone)/,
    );
    await tell(world, group, "group.create", { ...values, name: `Gold ${group.id}` });
    await assert.rejects(tell(world, group, "group.update", { name }), { code: "INVALID_INPUT" });
  }
});

/** Registers a customer who had another email, another name and another address before. */
async function registerPerson(world: ManualClockWorld): Promise<ActorRef> {
  const earlier = { ...PERSON, email: "Vrxqualmy.Torbenko@plixmail2.example", lastName: "Stolvarik" };
  const customer = await register(world, earlier);
  const { ids } = await tell(world, customer, "address.add", { ...ADDRESS, line1: "Tralfamgasse 5" });
  await tell(world, customer, "profile.update", PERSON);
  await tell(world, customer, "address.add", HOME);
  await tell(world, customer, "address.delete", { addressId: ids.addressId });
  return customer;
}

/** Staff decisions about a request in order, each with its reason and whether one was given. */
async function reasonsOf(
  world: ManualClockWorld,
  { id }: ActorRef,
): Promise<[string, string | null, boolean][]> {
  const rows = await world.admin<{ eventType: string; reason: string | null; reasonGiven: boolean }[]>`
    select event_type, coalesce(reason, note) as reason, reason_given or note_given as reason_given from actor_events
    where actor_id = ${id} and event_type in ('retry', 'waive', 'refuse', 'cancel', 'hold', 'release', 'extend')
    order by sequence`;
  return rows.map(({ eventType, reason, reasonGiven }) => [eventType, reason, reasonGiven]);
}

/** All rows of all tables as text. */
async function dump(admin: Sql): Promise<string> {
  const tables = await admin<{ name: string }[]>`
    select relname as name from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace`;
  const texts = await Promise.all(tables.map(async ({ name }) => {
    const [row] = await admin`select string_agg(t::text, ' ') as text from ${admin(name)} t`;
    return row?.text ?? "";
  }));
  return texts.join("\n");
}
