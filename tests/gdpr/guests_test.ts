/** Requests of guests, who have no account: their sealed contact data, their answers and their erasure. */
import assert from "node:assert/strict";
import { createExportDownloads, exportLink } from "../../actors/gdpr/exports/downloads.ts";
import { createRequestPerformers } from "../../actors/gdpr/mod.ts";
import { createNoticeReader } from "../../actors/gdpr/notices/read.ts";
import { hashEmail, participantHashesOf } from "../../actors/gdpr/requests/email_hash.ts";
import { replaySubjects } from "../../actors/gdpr/requests/replay.ts";
import { findContact } from "../../actors/gdpr/requests/subject.ts";
import type { Delivery, ParticipantClient, ParticipantHash } from "../../actors/gdpr/types.ts";
import type { ActorRef } from "../../actors/commands.ts";
import type { Sql } from "../../db/connect.ts";
import { destroyUnneededContacts } from "../../db/guests.ts";
import { createStoreReader } from "../../db/store_reader.ts";
import { deriveHashKey, type HashKeys } from "../../lib/hash_keys.ts";
import { createWorld, mapConcurrently, register, shopper, tell, type World } from "../actors/world.ts";
import { assertInvariants } from "./invariants.ts";
import { createKeys } from "./keys.ts";
import { createRequestFixture } from "./request_fixture.ts";

const GUEST = { email: "Zwirbelfink@quaxmail.example", phone: "+442079460444", locale: "de-CH" };
/** Texts of the guest; no random ID may contain one. */
const GUEST_TEXTS = /zwirbelfink|quaxmail|79460444/i;
const CHECK = { method: "EMAIL_REPLY" };
const ORDER: Delivery = {
  cursor: "1",
  record: {
    category: "order",
    purpose: "to fulfil it",
    retention: "ten years",
    recipients: [],
    data: { number: "G-2002" },
    recordedAt: "2026-03-01T10:00:00.000Z",
  },
};

/** A world whose order-service has an order of the guest, which it finds by the hashes alone. */
async function createGuestWorld() {
  const world = await createWorld();
  const keys = await createKeys();
  const { hashKeys } = keys;
  const [{ hash: orderHash }] = participantHashesOf(hashEmail(hashKeys, GUEST.email)) as [ParticipantHash];
  const peers: ParticipantClient = {
    async *collect(service, { emailHashes }) {
      if (service === "order-service" && emailHashes.some(({ hash }) => hash === orderHash)) yield ORDER;
    },
  };
  const api = world.database.pool("customer_api");
  const fixture = createRequestFixture(world, createRequestPerformers(api, peers, keys));
  const open = async (right: string, fields: Record<string, unknown> = {}, by = world.officer) => {
    const ref = { kind: "gdpr_request" as const, storeId: world.storeId, id: crypto.randomUUID() };
    const { id } = await tell(world, ref, "open", { right, subject: GUEST, ...fields }, { by });
    await assertInvariants(world.admin, { ...ref, id });
    return { ...ref, id };
  };
  return {
    world,
    keys,
    hashKeys,
    api,
    fixture,
    open,
    [Symbol.asyncDispose]: () => world[Symbol.asyncDispose](),
  };
}

async function contactOf(api: Sql, hashKeys: HashKeys, { storeId }: World, customerId: string) {
  return await createStoreReader(api).read(
    storeId,
    (sql) => findContact(sql, hashKeys, { storeId, customerId }),
  );
}

const destroyContacts = (worker: Sql) => worker.begin((tx) => destroyUnneededContacts(tx, 100));

/** Every row of every table as text. */
async function dump(admin: Sql): Promise<string> {
  const tables = await admin`select table_name from information_schema.tables where table_schema = 'public'`;
  const texts: string[] = [];
  for (const { tableName } of tables) {
    const rows = await admin`select to_jsonb(t.*)::text as text, t.*::text as plain from ${
      admin(tableName)
    } t`;
    for (const { text, plain } of rows) texts.push(text, plain, decodeHex(plain));
  }
  return texts.join("\n");
}

/** Bytes of a row as text, as they would be if they were not encrypted. */
function decodeHex(text: string): string {
  return [...text.matchAll(/\\x((?:[0-9a-f]{2})+)/g)]
    .map(([, hex]) => new TextDecoder("latin1").decode(Uint8Array.fromHex(hex!))).join();
}

Deno.test("a guest's access request is answered with what is stored here and elsewhere", async () => {
  await using guests = await createGuestWorld();
  const { world, keys, hashKeys, api, fixture } = guests;
  const request = await guests.open("ACCESS", { channel: "EMAIL" });
  await fixture.work();
  const waiting = await fixture.row(request);
  assert.deepEqual([waiting.isGuest, waiting.identifiedAt, waiting.status], [true, null, "PENDING"]);
  assert.deepEqual(await contactOf(api, hashKeys, world, waiting.customerId), GUEST);
  assert.doesNotMatch(await dump(world.admin), GUEST_TEXTS, "the contact data are sealed");

  await fixture.tell(request, "identity.verify", CHECK, { by: world.officer });
  await fixture.work(new Date(Date.now() + 60_000));
  const completed = await fixture.row(request);
  assert.deepEqual([completed.status, completed.outcome], ["COMPLETED", "FULFILLED"]);
  const link = await exportLink(api, keys, { storeId: world.storeId, requestId: request.id });
  const manager = { ...world.staff, roles: ["STORE_MANAGER" as const] };
  const { gzip } = await createExportDownloads(api, keys, world.actors)
    .fetch(link?.url.split("/").at(-1) ?? "", "access.json", manager);
  const text = await new Response(gzip.pipeThrough(new DecompressionStream("gzip"))).text();
  for (const value of [GUEST.email, GUEST.phone, GUEST.locale, "G-2002"]) {
    assert.ok(text.includes(value), value);
  }
  assert.equal((await fixture.row(request)).fetchedAt, null, "a download by staff is no handover");
  await fixture.tell(request, "hand_over", {}, { by: world.officer });
  assert.ok((await fixture.row(request)).fetchedAt);
  await assertInvariants(world.admin, request);
});

Deno.test("after a guest's erasure the service stores nothing of the guest, and remembers it", async () => {
  await using guests = await createGuestWorld();
  const { world, hashKeys, api, fixture } = guests;
  const letter = await guests.open("ACCESS", { channel: "EMAIL" });
  const request = await guests.open("ERASURE", { channel: "LETTER", identity: CHECK });
  await fixture.work();
  assert.equal(
    (await fixture.row(letter)).outcome,
    "NOT_IDENTIFIED",
    "the person cannot be identified any more",
  );
  await assertInvariants(world.admin, letter);
  const row = await fixture.row(request);
  const { customerId } = row;
  const [asked] = await world.admin`
    select payload from outbox where topic = 'customer.erasure_requested' and key = ${customerId}`;
  assert.deepEqual(asked?.payload.emailHashes, participantHashesOf(hashEmail(hashKeys, GUEST.email)));
  assert.equal(await contactOf(api, hashKeys, world, customerId), undefined);
  assert.deepEqual(row.cleared.tables.guests, { contact: 1 });
  const services = await world.admin`select service from gdpr_participants where request_id = ${request.id}`;
  for (const { service } of services) {
    await fixture.tell(request, "participant.confirm", { service }, { by: { ...world.system, service } });
  }
  await fixture.work(new Date(Date.now() + 60_000));
  const completed = await fixture.row(request);
  assert.deepEqual([completed.status, completed.outcome], ["COMPLETED", "FULFILLED"]);
  await assertInvariants(world.admin, request);

  // The recipient of the closing notice is sealed until the notice is delivered.
  const [notice] = await world.admin`select notice_id from gdpr_notices where kind = 'ERASED'`;
  const read = createNoticeReader(createStoreReader(api), hashKeys);
  const due = await read({ storeId: world.storeId, noticeId: notice?.noticeId });
  assert.deepEqual([due.email, due.language], [GUEST.email, "de"]);
  for (
    const { noticeId: id } of await world.admin`select notice_id from gdpr_notices where settled_at is null`
  ) {
    await tell(world, { kind: "gdpr_notice", storeId: world.storeId, id }, "deliver");
  }
  assert.doesNotMatch(await dump(world.admin), GUEST_TEXTS);
  const sealed = await world.admin`
    select 1 from guests where sealed_contact is not null
    union all select 1 from gdpr_notices where sealed_recipient is not null`;
  assert.equal(sealed.length, 0);

  const customer: ActorRef = { kind: "customer", storeId: world.storeId, id: crypto.randomUUID() };
  await assert.rejects(tell(world, customer, "register", { email: GUEST.email.toUpperCase() }), {
    code: "REFUSED_IN_STATE",
  });
  await assert.rejects(fixture.open({ ...customer, id: customerId }, "ACCESS"), { code: "REFUSED_IN_STATE" });
  const again = await guests.open("ACCESS");
  assert.notEqual(
    (await fixture.row(again)).customerId,
    customerId,
    "a guest who comes back is a new person",
  );
});

Deno.test("the email of a customer makes it the request of that customer, in any spelling", async () => {
  await using guests = await createGuestWorld();
  const { world, fixture } = guests;
  const customer = await register(world, { email: GUEST.email.toLowerCase() });
  const request = await guests.open("ACCESS", { subject: { email: GUEST.email.toUpperCase() } });
  const row = await fixture.row(request);
  assert.deepEqual([row.customerId, row.isGuest, row.identifiedAt], [customer.id, false, null]);
  assert.equal((await world.admin`select 1 from guests`).length, 0);

  const signedIn = await fixture.open(customer, "ACCESS", {}, { by: shopper(customer) });
  assert.notEqual(signedIn.id, request.id, "a request that is not verified does not delay a verified one");
});

Deno.test("concurrent requests of a guest are one request", async () => {
  await using guests = await createGuestWorld();
  const { world } = guests;
  const spellings = [GUEST.email, GUEST.email.toUpperCase(), GUEST.email.toLowerCase()];
  const opened = await mapConcurrently(
    Array.from({ length: 12 }, (_, index) => spellings[index % 3]!),
    (email) => guests.open("ERASURE", { subject: { email } }),
  );
  assert.equal(new Set(opened.map(({ id }) => id)).size, 1);
  assert.equal((await world.admin`select 1 from guests`).length, 1);
});

Deno.test("the contact data of a guest are destroyed once no request and no notice needs them", async () => {
  await using guests = await createGuestWorld();
  const { world, hashKeys, api, fixture } = guests;
  const worker = world.database.pool("customer_worker");
  const request = await guests.open("ACCESS");
  const { customerId } = await fixture.row(request);
  const other = await guests.open("ACCESS", { subject: { email: "other@example.com" } });
  const isKept = async () => await contactOf(api, hashKeys, world, customerId) !== undefined;

  await destroyContacts(worker);
  assert.ok(await isKept(), "the request is open");
  await fixture.tell(request, "refuse", { reason: "no answer", ground: "IDENTITY_NOT_PROVEN" }, {
    by: world.officer,
  });
  await destroyContacts(worker);
  assert.ok(await isKept(), "notices are due");
  for (
    const { noticeId: id } of await world
      .admin`select notice_id from gdpr_notices where request_id = ${request.id}`
  ) {
    await tell(world, { kind: "gdpr_notice", storeId: world.storeId, id }, "deliver");
  }
  await destroyContacts(worker);
  assert.ok(!await isKept());
  const byId = { storeId: world.storeId, id: customerId, kind: "customer" as const };
  await assert.rejects(fixture.open(byId, "ERASURE", {}, { by: world.officer }), {
    code: "REFUSED_IN_STATE",
    message: /name the person by the email/,
  });
  const again = await guests.open("ERASURE");
  assert.equal((await fixture.row(again)).customerId, customerId, "the hash of the email is known");
  assert.deepEqual(await contactOf(api, hashKeys, world, customerId), GUEST);
  const { customerId: otherId } = await fixture.row(other);
  assert.ok(await contactOf(api, hashKeys, world, otherId), "of another guest");
});

Deno.test("contact data stay while documents wait to be handed over, and after a notice could not be delivered", async () => {
  await using guests = await createGuestWorld();
  const { world, hashKeys, api, fixture } = guests;
  const worker = world.database.pool("customer_worker");
  const request = await guests.open("ACCESS", { identity: CHECK });
  const { customerId } = await fixture.row(request);
  await fixture.work(new Date(Date.now() + 60_000));
  const isKept = async () => {
    await destroyContacts(worker);
    return await contactOf(api, hashKeys, world, customerId) !== undefined;
  };
  const notices = await world
    .admin`select notice_id, kind from gdpr_notices where request_id = ${request.id}`;
  for (const { noticeId: id, kind } of notices) {
    const notice = { kind: "gdpr_notice" as const, storeId: world.storeId, id };
    await tell(world, notice, kind === "READY" ? "bounce" : "deliver");
  }
  assert.ok(await isKept(), "the documents are available");
  await fixture.tell(request, "hand_over", {}, { by: world.officer });
  assert.ok(await isKept(), "the notice could not be delivered");
  await world
    .admin`update gdpr_notices set settled_at = now() - interval '31 days' where delivery = 'UNDELIVERABLE'`;
  assert.ok(!await isKept());
});

Deno.test("the erasure of an account ends what the person has requested before without an account", async () => {
  await using guests = await createGuestWorld();
  const { world, fixture } = guests;
  const before = await guests.open("ACCESS");
  const customer = await register(world, { email: GUEST.email });
  await fixture.open(customer, "ERASURE", {}, { by: shopper(customer) });
  await fixture.work();
  const ended = await fixture.row(before);
  assert.deepEqual([ended.status, ended.outcome], ["COMPLETED", "NOT_IDENTIFIED"]);
});

Deno.test("an earlier key still opens the contact data, and another key does not", async () => {
  await using guests = await createGuestWorld();
  const { world, api, fixture, hashKeys: [earlier] } = guests;
  const { customerId } = await fixture.row(await guests.open("ACCESS"));
  const current = await deriveHashKey(new Uint8Array(32).fill(9));
  assert.deepEqual(await contactOf(api, [current, earlier], world, customerId), GUEST);
  await assert.rejects(contactOf(api, [current], world, customerId), /is not configured/);
});

Deno.test("a replay erases a guest again whom a restored backup contains", async () => {
  await using guests = await createGuestWorld();
  const { world, hashKeys, api, fixture } = guests;
  const request = await guests.open("ACCESS");
  const { customerId } = await fixture.row(request);
  const emailHashes = hashEmail(hashKeys, GUEST.email).map(({ hash }) => hash);
  const subject = { storeId: world.storeId, customerId, emailHashes, erasedAt: new Date() };
  const [replay] = await replaySubjects(api, world.actors, [subject]);
  assert.deepEqual([replay?.counts.erasedAgain, replay?.restored], [1, [customerId]]);
  await fixture.work();
  assert.equal(await contactOf(api, hashKeys, world, customerId), undefined);
  const [repeated] = await replaySubjects(api, world.actors, [subject]);
  assert.equal(repeated?.counts.alreadyGone, 1);
});

Deno.test("only staff and services name a person by an email, and not for the account or a rectification", async () => {
  await using guests = await createGuestWorld();
  const { world } = guests;
  const customer = await register(world);
  const refused = (code: string, fields: Record<string, unknown>, by = world.officer) =>
    assert.rejects(guests.open("ACCESS", fields, by), (error: Error & { code?: string }) => {
      assert.equal(error.code, code);
      assert.doesNotMatch(error.message, GUEST_TEXTS);
      return true;
    });
  await refused("FORBIDDEN", {}, shopper(customer));
  await refused("FORBIDDEN", {}, { ...world.officer, storeId: crypto.randomUUID() });
  await refused("INVALID_INPUT", { channel: "ACCOUNT" }, world.system);
  await refused("INVALID_INPUT", {
    right: "RECTIFICATION",
    corrections: { firstName: "A" },
    identity: CHECK,
  });
  await refused("INVALID_INPUT", { customerId: customer.id });
  await refused("INVALID_INPUT", { subject: undefined });
  await refused("INVALID_INPUT", { subject: { email: "Zwirbelfink" } });
  await refused("INVALID_INPUT", { subject: { ...GUEST, phone: "79460444" } });
  const byService = await guests.open("ACCESS", {}, world.system);
  const [row] = await world
    .admin`select channel, identified_at from gdpr_requests where request_id = ${byService.id}`;
  assert.deepEqual({ ...row }, { channel: "OTHER", identifiedAt: null });
});
