/** Notices to customers about requests: every path of their machine, their recipients and their texts. */
import assert from "node:assert/strict";
import { type AnyMachineSnapshot, initialTransition } from "xstate";
import { getShortestPaths } from "xstate/graph";
import { NOTICE_LIFETIME_MS, noticeMachine } from "../../actors/gdpr/machines/notice_machine.ts";
import { composeNotice } from "../../actors/gdpr/notices/compose.ts";
import { createNoticeReader } from "../../actors/gdpr/notices/read.ts";
import type { GdprRequestRow } from "../../db/gdpr_requests.ts";
import { createStoreReader } from "../../db/store_reader.ts";
import { countWork } from "../../db/work_counts.ts";
import { informedOf, NOTICE_KINDS, NOTICE_WAIVERS, REFUSAL_GROUNDS } from "../../domain/notices.ts";
import { LANGUAGES, NO_SETTINGS } from "../../domain/store_settings.ts";
import { deriveHashKey } from "../../lib/hash_keys.ts";
import { PARTICIPANTS } from "../actors/settings.ts";
import { register, shopper, tell } from "../actors/world.ts";
import { createKeys } from "./keys.ts";
import { createManualClockWorld, DAY, fireTimer, type ManualClockWorld } from "./manual_clock.ts";
import { createRequestFixture } from "./request_fixture.ts";

const NOW = Date.UTC(2026, 2, 10);
const input = (waits: boolean) => ({
  noticeId: crypto.randomUUID(),
  requestId: crypto.randomUUID(),
  kind: "ERASED" as const,
  dueAt: NOW + DAY,
  createdAt: NOW,
  waits,
});

Deno.test("a notice ends in no state in which it is neither delivered nor waived nor visible", () => {
  const events = [
    "fall_due",
    "deliver",
    "bounce",
    "waive",
    "xstate.after.UNTIL_REPEAT",
    "xstate.after.UNTIL_EXPIRED",
  ];
  const reached = new Map<string, Set<string>>();
  for (const start of [input(false), input(true), { ...input(false), unreachable: true }]) {
    const paths = getShortestPaths(noticeMachine, {
      input: start,
      events: (state: AnyMachineSnapshot) =>
        events.map((type) => ({ type: type.startsWith("x") ? `${type}.gdpr_notice@1.due` : type, at: NOW }))
          .filter((event) => state.can(event as never)),
      serializeState: ({ value }: AnyMachineSnapshot) => String(value),
    } as never);
    for (const { state } of paths as unknown as { state: AnyMachineSnapshot }[]) {
      const accepted = events.filter((type) =>
        state.can({ type: type.startsWith("x") ? `${type}.gdpr_notice@1.due` : type, at: NOW } as never)
      );
      reached.set(String(state.value), new Set(accepted));
      assert.equal(state.status, "active", "a late confirmation is recorded in every state");
    }
  }
  const accepts = Object.fromEntries([...reached].map(([state, events]) => [state, [...events]]));
  assert.deepEqual(accepts, {
    due: ["deliver", "bounce", "waive", "xstate.after.UNTIL_REPEAT", "xstate.after.UNTIL_EXPIRED"],
    delivered: ["deliver", "bounce"],
    undeliverable: ["deliver", "bounce", "waive"],
    waived: ["deliver", "bounce"],
    expired: ["deliver", "bounce", "waive"],
    waiting: ["fall_due"],
  });
  const [, actions] = initialTransition(noticeMachine, input(false));
  const [repeat, expiry] = actions.flatMap(({ type, params }) =>
    type === "xstate.raise" ? [(params as { delay: number }).delay] : []
  );
  assert.deepEqual([repeat, expiry], [60 * 60_000, DAY + NOTICE_LIFETIME_MS]);
});

Deno.test("a notice that is not delivered is published again, becomes overdue, expires, and can still be settled", async () => {
  await using world = await createManualClockWorld({ participants: [], graceMs: DAY });
  const fixture = createRequestFixture(world);
  const customer = await register(world);
  const { id: requestId } = await fixture.open(customer, "ERASURE", {}, { by: shopper(customer) });
  const notice = await refOf(world, requestId, "RECEIVED");
  const [repeat, expire] = ["UNTIL_REPEAT", "UNTIL_EXPIRED"].map((name) =>
    `xstate.after.${name}.gdpr_notice@1.due`
  ) as [string, string];
  const start = world.now.getTime();
  const intervals: number[] = [];
  for (let published = start; intervals.length < 7; published = world.now.getTime()) {
    assert.ok(await fireTimer(world, notice, repeat));
    intervals.push((world.now.getTime() - published) / 3_600_000);
  }
  assert.deepEqual(intervals, [1, 2, 4, 8, 16, 24, 24]);
  const attempts = await world.admin`
    select payload->>'attempt' as attempt from outbox where payload->>'noticeId' = ${notice.id} order by seq`;
  assert.deepEqual(attempts.map(({ attempt }) => Number(attempt)), [1, 2, 3, 4, 5, 6, 7, 8]);

  const row = async () => (await world.admin`select * from gdpr_notices where notice_id = ${notice.id}`)[0]!;
  const informed = async () => informedOf([await row()] as never, world.now);
  assert.equal(await informed(), "PENDING");
  world.now = new Date((await row()).dueAt.getTime() + 1);
  assert.equal(await informed(), "OVERDUE");
  const { dueAt } = await row();
  assert.ok(await fireTimer(world, notice, expire));
  assert.equal(world.now.getTime(), dueAt.getTime() + NOTICE_LIFETIME_MS);
  assert.equal(await informed(), "EXPIRED");
  assert.equal(await fireTimer(world, notice, repeat), false, "it is not published any more");
  const sql = world.database.pool("customer_worker");
  assert.deepEqual((await countWork(sql)).notices, [
    { kind: "RECEIVED", due: 0, overdue: 0, expired: 1, undeliverable: 0 },
  ]);

  const waive = (fields: object, by = world.officer) => tell(world, notice, "waive", { ...fields }, { by });
  for (const [by, code] of [[world.staff, "FORBIDDEN"], [world.system, "FORBIDDEN"]] as const) {
    await assert.rejects(waive({ waiver: "SENT_BY_LETTER" }, by), { code });
  }
  await assert.rejects(
    tell(world, notice, "waive", { waiver: "SENT_BY_LETTER" }, { by: shopper(customer) }),
    {
      code: "FORBIDDEN",
    },
  );
  await assert.rejects(waive({ waiver: "because Mr Li said so" }), { code: "INVALID_INPUT" });
  await waive({ waiver: "SENT_BY_LETTER" });
  assert.equal(await informed(), "WAIVED");
  assert.equal((await row()).waivedBy, world.officer.id);
  await assert.rejects(waive({ waiver: "GIVEN_BY_PHONE" }), { code: "REFUSED_IN_STATE" });
  await tell(world, notice, "deliver");
  assert.equal(await informed(), "DELIVERED", "a late confirmation counts");
  const { version } = await row();
  await tell(world, notice, "deliver");
  assert.equal((await row()).version, version, "a repeated one changes nothing");
  assert.deepEqual((await countWork(sql)).notices, []);

  // The address refuses the notice after it was sent.
  const bounce = (by = world.system) => tell(world, notice, "bounce", {}, { by });
  for (const by of [world.officer, shopper(customer), { ...world.system, storeId: crypto.randomUUID() }]) {
    await assert.rejects(bounce(by), { code: "FORBIDDEN" });
  }
  await bounce();
  assert.equal(await informed(), "UNDELIVERABLE");
  assert.deepEqual((await countWork(sql)).notices, [
    { kind: "RECEIVED", due: 0, overdue: 0, expired: 0, undeliverable: 1 },
  ]);
  const { version: bounced } = await row();
  await bounce();
  assert.equal((await row()).version, bounced, "a repeated report changes nothing");
  assert.equal(await fireTimer(world, notice, repeat), false, "it is not published any more");
  await tell(world, customer, "profile.update", { email: "corrected@notice.example" });
  const read = createNoticeReader(
    createStoreReader(world.database.pool("customer_api")),
    (await createKeys()).hashKeys,
  );
  const key = { storeId: world.storeId, noticeId: notice.id };
  assert.equal((await read(key)).email, "corrected@notice.example", "it can be sent to a new address");
  await waive({ waiver: "GIVEN_BY_PHONE" });
  await bounce();
  assert.equal(await informed(), "WAIVED", "the customer knows it by phone");
  await tell(world, notice, "deliver");
  assert.equal(await informed(), "DELIVERED");
});

Deno.test("an erasure seals the recipient of each open notice until the notice is settled, and then destroys it", async () => {
  await using world = await createManualClockWorld({ graceMs: 0 });
  const fixture = createRequestFixture(world);
  const email = "Ottilie.Zwirn@notice.example";
  const customer = await register(world, { email, locale: "it-CH" });
  const access = await fixture.open(customer, "ACCESS", {}, { by: shopper(customer) });
  await fixture.tell(access, "refuse", { reason: "repeated each day", ground: "EXCESSIVE" });
  const erasure = await fixture.open(customer, "ERASURE", {}, { by: shopper(customer) });
  const start = `xstate.after.UNTIL_START.gdpr_erasure@1.PENDING.grace`;
  assert.ok(await fireTimer(world, erasure, start));
  assert.equal((await fixture.row(erasure)).status, "IN_PROGRESS");

  const keys = (await createKeys()).hashKeys;
  const reader = createStoreReader(world.database.pool("customer_api"));
  const read = createNoticeReader(reader, keys);
  const keyOf = async (requestId: string, kind: string) => ({
    storeId: world.storeId,
    noticeId: (await refOf(world, requestId, kind)).id,
  });
  const erased = await keyOf(erasure.id, "ERASED");
  await assert.rejects(read(erased), { code: "REFUSED_IN_STATE" }, "the erasure is not complete");
  const refusal = await keyOf(access.id, "REFUSED");
  assert.equal((await read(refusal)).email, email, "of another request of the customer");
  assert.deepEqual(await searchDump(world, "zwirn"), [], "nothing in clear text");

  await fixture.tell(erasure, "extend", { reason: "a service is late" });
  const extended = await read(await keyOf(erasure.id, "EXTENDED"));
  assert.deepEqual(
    [extended.email, extended.language],
    [email, "it"],
    "a notice after the erasure has begun",
  );
  assert.deepEqual(await searchDump(world, "zwirn"), []);

  for (const service of PARTICIPANTS) await fixture.tell(erasure, "participant.confirm", { service });
  await fixture.tell(erasure, "verified", { residue: 0 });
  assert.equal((await fixture.row(erasure)).outcome, "FULFILLED");
  const due = await read(erased);
  assert.deepEqual([due.email, due.language, due.kind], [email, "it", "ERASED"]);
  const otherKey = await deriveHashKey(new Uint8Array(32).fill(8));
  assert.equal((await createNoticeReader(reader, [otherKey, ...keys])(erased)).email, due.email, "a new key");
  await assert.rejects(createNoticeReader(reader, [otherKey])(erased), /the key .* is not configured/);
  await assert.rejects(read({ ...erased, storeId: crypto.randomUUID() }), { code: "NOT_FOUND" });

  // A sealed recipient cannot be moved to another notice.
  const sealed = () =>
    world
      .admin`select notice_id, sealed_recipient, key_id from gdpr_notices where sealed_recipient is not null`;
  const before = [...await sealed()];
  assert.equal(before.length, 5, "two of the access request, three of the erasure");
  const bytes = before.find(({ noticeId }) => noticeId === refusal.noticeId)!.sealedRecipient;
  await world.admin`update gdpr_notices set sealed_recipient = ${bytes} where notice_id = ${erased.noticeId}`;
  await assert.rejects(read(erased), /changed or moved/);
  const own = before.find(({ noticeId }) => noticeId === erased.noticeId)!.sealedRecipient;
  await world.admin`update gdpr_notices set sealed_recipient = ${own} where notice_id = ${erased.noticeId}`;

  const received = await refOf(world, erasure.id, "RECEIVED");
  const refused = { kind: "gdpr_notice" as const, storeId: world.storeId, id: refusal.noticeId };
  await tell(world, { ...refused, id: erased.noticeId }, "deliver");
  await tell(world, refused, "bounce");
  await assert.rejects(read(refusal), { message: /it has no recipient/ }, "the refused address is destroyed");
  await tell(world, refused, "waive", { waiver: "UNREACHABLE" }, { by: world.officer });
  assert.ok(await fireTimer(world, received, "xstate.after.UNTIL_EXPIRED.gdpr_notice@1.due"));
  assert.equal((await sealed()).length, 2, "delivered, waived and expired: each destroys it");
  await assert.rejects(read(erased), { code: "REFUSED_IN_STATE" });
});

Deno.test("a notice after the erasure by another request has its recipient as long as one is sealed, and says so else", async () => {
  await using world = await createManualClockWorld({ participants: [], graceMs: 0 });
  const fixture = createRequestFixture(world);
  const email = "ottilie@notice.example";
  const customer = await register(world, { email });
  const letter = await fixture.open(customer, "ACCESS", { channel: "LETTER" }, { by: world.officer });
  const { snapshot } = await fixture.row(letter);
  const erasure = await fixture.open(customer, "ERASURE", {}, { by: shopper(customer) });
  assert.ok(await fireTimer(world, erasure, `xstate.after.UNTIL_START.gdpr_erasure@1.PENDING.grace`));
  await fixture.tell(erasure, "verified", { residue: 0 });

  // As if the erasure had left the other request open.
  const reopen = () =>
    world.admin`
      update gdpr_requests set status = 'PENDING', outcome = null, completed_at = null,
        snapshot = ${world.admin.json(snapshot)} where request_id = ${letter.id}`;
  const read = createNoticeReader(
    createStoreReader(world.database.pool("customer_api")),
    (await createKeys()).hashKeys,
  );
  await reopen();
  await fixture.tell(letter, "cancel");
  const canceled = await refOf(world, letter.id, "CANCELLED");
  assert.equal((await read({ storeId: world.storeId, noticeId: canceled.id })).email, email);

  const open = await world.admin`select notice_id from gdpr_notices where settled_at is null`;
  for (const { noticeId } of open) await tell(world, { ...canceled, id: noticeId }, "deliver");
  const published = async () =>
    (await world.admin`select from outbox where topic = 'gdpr.notice_due'`).length;
  const before = await published();
  await reopen();
  await fixture.tell(letter, "information.request", { reason: "the signature differs" });
  const unreachable = await refOf(world, letter.id, "IDENTITY_NEEDED");
  const [row] = await world.admin`select * from gdpr_notices where notice_id = ${unreachable.id}`;
  assert.deepEqual([row?.delivery, row?.attempts], ["UNDELIVERABLE", 0]);
  assert.equal(await published(), before, "nothing is published that cannot be delivered");
  assert.equal(informedOf([row] as never, world.now), "UNDELIVERABLE");
  await tell(world, unreachable, "waive", { waiver: "UNREACHABLE" }, { by: world.officer });
});

Deno.test("a repeated erasure after a restore creates no notices", async () => {
  await using world = await createManualClockWorld({ participants: [], graceMs: 0 });
  const fixture = createRequestFixture(world);
  const customer = await register(world);
  const request = await fixture.open(customer, "ERASURE", { cause: "RESTORE" });
  assert.ok(await fireTimer(world, request, `xstate.after.UNTIL_START.gdpr_erasure@1.PENDING.grace`));
  await fixture.tell(request, "verified", { residue: 0 });
  assert.equal((await fixture.row(request)).outcome, "FULFILLED");
  assert.equal((await world.admin`select from gdpr_notices`).length, 0);
});

Deno.test("every notice has a text in every language, without a placeholder", () => {
  const request = {
    requestId: crypto.randomUUID(),
    type: "ERASURE",
    status: "PENDING",
    createdAt: new Date(NOW),
    receivedAt: new Date(NOW),
    informationReason: "reason D",
    dueAt: new Date(NOW + 31 * DAY),
    completedAt: new Date(NOW + DAY),
    refusalReason: "reason A",
    extensionReason: "reason B",
    cancellationReason: "reason C",
    cancellableUntil: new Date(NOW + DAY),
    snapshot: { context: { startsAt: NOW + DAY, expiresAt: null } },
  } as unknown as GdprRequestRow;
  const settings = {
    ...NO_SETTINGS,
    controller: { name: "Bergladen AG", address: "Bahnhofstrasse 1" },
    dataProtectionContact: "datenschutz@bergladen.example",
    supervisoryAuthority: { name: "EDÖB", complaint: "www.edoeb.admin.ch" },
  };
  const participants = [{ service: "order-service", state: "WAIVED" as const }];
  for (const locale of LANGUAGES) {
    for (const kind of NOTICE_KINDS) {
      for (const refusalGround of REFUSAL_GROUNDS) {
        const facts = { kind, request: { ...request, refusalGround }, participants, settings, locale };
        const { language, subject, text } = composeNotice(facts);
        assert.equal(language, locale);
        assert.doesNotMatch(subject + text, /\{\w+\}|\bundefined\b|\bnull\b/, `${kind} in ${locale}`);
        assert.ok(text.includes("Bergladen AG") && text.includes("datenschutz@bergladen.example"));
        const own =
          { REFUSED: "reason A", EXTENDED: "reason B", CANCELLED: "reason C", IDENTITY_NEEDED: "reason D" }[
            kind as string
          ];
        for (const reason of ["reason A", "reason B", "reason C", "reason D"]) {
          assert.equal(text.includes(reason), reason === own, kind);
        }
        assert.equal(text.includes("edoeb.admin.ch"), kind === "REFUSED", "the right to complain");
        assert.equal(text.includes("order-service"), kind === "ERASED");
      }
    }
  }
  const composeReceived = (changes: object) =>
    composeNotice({
      kind: "RECEIVED",
      request: { ...request, ...changes },
      participants,
      settings,
      locale: "en",
    })
      .text;
  assert.match(composeReceived({}), /You can cancel it in your account until March 11, 2026/);
  const unknown = { cancellableUntil: null };
  assert.match(composeReceived(unknown), /in your account as long as the erasure has not begun/);
  assert.match(composeReceived({ ...unknown, isGuest: true }), /has not begun: write to us/);
  const atOnce = { cancellableUntil: request.createdAt };
  for (const changes of [atOnce, { status: "IN_PROGRESS" }, { ...unknown, type: "ACCESS" }]) {
    assert.doesNotMatch(composeReceived(changes), /cancel/);
  }
  assert.equal(new Set(NOTICE_WAIVERS).size, NOTICE_WAIVERS.length);
});

async function refOf({ admin, storeId }: ManualClockWorld, requestId: string, kind: string) {
  const [row] = await admin`
    select notice_id from gdpr_notices where request_id = ${requestId} and kind = ${kind}`;
  assert.ok(row, `${kind} of ${requestId}`);
  return { kind: "gdpr_notice" as const, storeId, id: row.noticeId as string };
}

/** Names of the tables of which a row contains a text, in any case. */
async function searchDump({ admin }: ManualClockWorld, text: string): Promise<string[]> {
  const tables = await admin`select table_name from information_schema.tables where table_schema = 'public'`;
  const found: string[] = [];
  for (const { tableName } of tables) {
    const rows = await admin`select from ${admin(tableName)} t where t::text ilike ${`%${text}%`}`;
    if (rows.length > 0) found.push(tableName);
  }
  return found;
}
