/** Lifecycle of GDPR requests over REST, from opening to receipt or export. */
import assert from "node:assert/strict";
import { createRequestPerformers } from "../../actors/gdpr/mod.ts";
import { checkReceipts } from "../../actors/gdpr/receipts/check.ts";
import { type ParticipantClient, ParticipantError } from "../../actors/gdpr/types.ts";
import type { Principal } from "../../domain/principal.ts";
import { requestSettings } from "../actors/settings.ts";
import { ADDRESS, register, shopper, tell } from "../actors/world.ts";
import { createRequestFixture } from "../gdpr/request_fixture.ts";
import { startRest, type TestRest } from "./server.ts";

const HOUR_MS = 60 * 60_000;

/** Opens a request, and returns functions that call its routes. */
async function open(rest: TestRest, as: Principal, customerId: string, type: string) {
  const { body } = await rest.call("POST", "/gdpr-requests", {
    as,
    body: { customerId, type, identity: { method: "ID_DOCUMENT" } },
  });
  const path = `/gdpr-requests/${body.requestId}`;
  return {
    ref: { kind: "gdpr_request", storeId: as.storeId, id: body.requestId as string } as const,
    path,
    read: async () => (await rest.call("GET", path, { as })).body,
    act: (action: string, body?: unknown, headers: Record<string, string> = {}) =>
      rest.call("POST", `${path}/${action}`, { as, body, headers }),
    get: (part: string) => rest.call("GET", `${path}/${part}`, { as }),
  };
}

const statesOf = (participants: { service: string; state: string }[]) =>
  Object.fromEntries(participants.map(({ service, state }) => [service, state]));

Deno.test("an erasure is held, extended, released, retried and waived over REST, and its receipt is valid", async () => {
  const requests = await requestSettings({ graceMs: HOUR_MS });
  await using rest = await startRest({ requests });
  const as = rest.staff(["PRIVACY_OFFICER"]);
  const shop = createRequestFixture(rest.world);
  const customer = await register(rest.world, { firstName: "Grace" });
  await tell(rest.world, customer, "address.add", ADDRESS);
  const request = await open(rest, as, customer.id, "ERASURE");

  for (const wrong of [{ reason: "a lawsuit" }, { reason: "a lawsuit", ground: "NO_RIGHT" }]) {
    assert.equal((await request.act("hold", wrong)).body.code, "INVALID_INPUT", JSON.stringify(wrong));
  }
  const held = await request.act("hold", { ground: "LEGAL_CLAIM", reason: "a lawsuit" }, {
    "if-match": '"1"',
  });
  assert.deepEqual([held.status, held.body.held, held.body.reasons.hold], [200, true, "a lawsuit"]);
  assert.equal(held.headers.get("etag"), '"2"');
  const stale = await request.act("release", undefined, { "if-match": '"1"' });
  assert.deepEqual([stale.status, stale.body.code], [412, "CONFLICT"]);
  assert.equal(
    (await request.act("hold", { ground: "LEGAL_CLAIM", reason: "again" })).body.code,
    "REFUSED_IN_STATE",
  );

  const key = { "idempotency-key": "extension" };
  const extended = await request.act("extend", { reason: "many sources" }, key);
  assert.deepEqual([extended.body.extended, extended.body.reasons.extension], [true, "many sources"]);
  assert.ok(extended.body.dueAt > held.body.dueAt);
  assert.deepEqual((await request.act("extend", { reason: "many sources" }, key)).body, extended.body);
  assert.equal((await request.act("extend", { reason: "other" }, key)).body.code, "INVALID_INPUT");
  assert.equal((await request.act("extend", { reason: "twice" })).body.code, "REFUSED_IN_STATE");
  const { headers, status, body } = await request.act("release", { note: "settled" }, {
    "idempotency-key": "release",
  });
  assert.deepEqual([status, body.held], [200, false]);
  for (const [note, code] of [["settled", undefined], ["another", "INVALID_INPUT"]] as const) {
    const again = await request.act("release", { note }, { "idempotency-key": "release" });
    assert.equal(again.body.code, code, "the note is part of the repeated command");
    if (!code) assert.equal(again.headers.get("etag"), headers.get("etag"));
  }

  await shop.work(new Date(Date.now() + 2 * HOUR_MS)); // after the grace period
  const running = await request.read();
  assert.deepEqual([running.status, running.extended], ["IN_PROGRESS", true]);
  assert.equal((await request.act("cancel")).body.code, "REFUSED_IN_STATE");
  assert.equal((await request.get("receipt")).status, 404);
  assert.equal((await request.act("retry", { service: "unknown-service" })).body.code, "REFUSED_IN_STATE");
  const countErasureEvents = async () =>
    (await rest.world.admin`
      select from outbox
      where topic = 'customer.erasure_requested' and payload -> 'participants' = '["order-service"]'`).length;
  const before = await countErasureEvents();
  const again = await request.act("retry", { service: "order-service" });
  assert.equal(again.status, 200);
  assert.equal(again.body.participants.find(isOrder).attempts, 1);
  assert.equal(await countErasureEvents(), before + 1);

  for (const service of ["order-service", "payment-service"]) {
    await shop.tell(request.ref, "participant.confirm", { service, evidence: "2 rows anonymized" });
  }
  assert.equal((await request.act("waive", { service: "communication-service" })).status, 400);
  const waived = await request.act("waive", { service: "communication-service", reason: "shut down" });
  assert.deepEqual(statesOf(waived.body.participants), {
    "communication-service": "WAIVED",
    "order-service": "CONFIRMED",
    "payment-service": "CONFIRMED",
  });
  assert.equal(waived.body.participants.find(isOrder).evidence, "2 rows anonymized");
  await shop.work();
  const completed = await request.read();
  assert.deepEqual([completed.status, completed.outcome, completed.residue], [
    "COMPLETED",
    "FULFILLED_WITH_WAIVERS",
    0,
  ]);
  assert.ok(completed.completedAt);

  const receipt = await request.get("receipt");
  assert.equal(receipt.status, 200);
  const checks = async (text: string) => {
    const [checked] = await checkReceipts([{ name: "receipt.json", text }], []);
    assert.ok(checked);
    return checked.findings;
  };
  const findings = await checks(receipt.text);
  assert.deepEqual(findings.filter(({ verdict }) => verdict === "failed"), []);
  assert.ok(
    findings.some(({ message }) =>
      /Waived[^.]*communication-service/.test(message) && message.includes(customer.id)
    ),
  );
  assert.doesNotMatch(receipt.text, /shut down|anonymized/, "the receipt has hashes of the texts only");
  const forged = receipt.text.replace("WAIVED", "CONFIRMED");
  assert.ok((await checks(forged)).some(({ verdict }) => verdict === "failed"));

  const { items } = (await request.get("timeline")).body;
  assert.deepEqual(items.slice(0, 4).map(({ event }: { event: string }) => event), [
    "open",
    "hold",
    "extend",
    "release",
  ]);
  assert.equal(items.at(-1).stateAfter, "COMPLETED");
  assert.deepEqual(
    items.slice(0, 4).map(({ reason, reasonRemoved, note, noteRemoved }: Record<string, unknown>) => [
      ...[reason, reasonRemoved, note, noteRemoved],
    ]),
    [
      [null, false, null, false],
      [null, true, null, false],
      [null, true, null, false],
      [null, false, null, true],
    ],
  );
  assert.equal(completed.extended, true, "although the reason of the extension is gone");
  assert.deepEqual(completed.reasons, { hold: null, extension: null, refusal: null, cancellation: null });
  assert.doesNotMatch(
    JSON.stringify([items, completed]),
    /lawsuit|many sources|"settled"|shut down|rows anonym/,
  );
  for (const text of [receipt.text, JSON.stringify(items), JSON.stringify(completed)]) {
    assert.ok(!text.includes("Grace") && !text.includes(ADDRESS.line1));
  }
  assert.equal((await request.act("retry", {})).body.code, "REFUSED_IN_STATE");
});

const isOrder = ({ service }: { service: string }) => service === "order-service";

Deno.test("an access request waits for a participant until staff retry, and its export returns each document once", async () => {
  await using rest = await startRest();
  const as = rest.staff(["PRIVACY_OFFICER", "CUSTOMER_SUPPORT"]);
  let isUnavailable = true;
  const peers: ParticipantClient = {
    // deno-lint-ignore require-yield -- the other participants hold no data
    async *collect(service) {
      if (service === "payment-service" && isUnavailable) {
        throw new ParticipantError("UNREACHABLE", "Cannot collect: away");
      }
      await Promise.resolve();
    },
  };
  const performers = createRequestPerformers(rest.world.database.pool("customer_api"), peers, rest.keys);
  const shop = createRequestFixture(rest.world, performers);
  const customer = await register(rest.world, { lastName: "Hopper" });
  const request = await open(rest, as, customer.id, "ACCESS");
  await shop.work();
  const waiting = await request.read();
  assert.deepEqual(statesOf(waiting.participants), {
    "communication-service": "RECEIVED",
    "customer-service": "RECEIVED",
    "order-service": "RECEIVED",
    "payment-service": "RETRYING",
  });
  const payment = waiting.participants.find((one: { state: string }) => one.state === "RETRYING");
  assert.deepEqual([payment.lastError, payment.attempts, payment.settledAt], ["UNREACHABLE", 1, null]);
  assert.ok(Date.parse(payment.nextAttemptAt) > Date.now());
  const none = await request.get("export");
  assert.deepEqual([none.status, none.body.code], [404, "NOT_FOUND"]);

  isUnavailable = false;
  assert.equal((await request.act("retry", { service: "payment-service" })).status, 200);
  await shop.work();
  assert.deepEqual([(await request.read()).outcome, (await request.get("receipt")).status], [
    "FULFILLED",
    404,
  ]);

  const link = await request.get("export");
  assert.equal(link.status, 200);
  assert.deepEqual(Object.keys(link.body).sort(), ["expiresAt", "sha256", "url"]);
  assert.ok(Date.parse(link.body.expiresAt) > Date.now());
  const listing = await rest.call("GET", link.body.url, { as });
  const manifest = listing.body.parts.find(({ name }: { name: string }) => name === "manifest.json");
  assert.equal(manifest.sha256, link.body.sha256);
  const document = await rest.call("GET", `${link.body.url}/access.json`, { as });
  assert.equal(document.status, 200);
  assert.ok(document.text.includes("Hopper"));
  assert.equal((await rest.call("GET", `${link.body.url}/access.json`, { as })).status, 410);
  const { event, service, document: downloaded, by } = (await request.get("timeline")).body.items.at(-1);
  assert.deepEqual([event, service, downloaded, by.id], ["export.downloaded", null, "access.json", as.id]);
  const fresh = (await request.get("export")).body.url;
  assert.equal((await request.read()).fetchedAt, null, "a download by staff is not the subject's");
  const { url } = (await request.get("export")).body;
  const manifestOnly = await rest.call("GET", `${url}/manifest.json`, { as: shopper(customer) });
  assert.equal(manifestOnly.status, 200);
  assert.equal((await rest.call("HEAD", `${fresh}/access.json`, { as: shopper(customer) })).status, 200);
  assert.equal((await request.read()).fetchedAt, null, "neither is a manifest, nor a HEAD request");
  const mine = await rest.call("GET", `${url}/access.json`, { as: shopper(customer) });
  assert.equal(mine.status, 200);
  const fetched = await request.read();
  assert.ok(Date.parse(fetched.fetchedAt) <= Date.now());
  assert.deepEqual([fetched.outcome, fetched.state], ["FULFILLED", { COMPLETED: "fetched" }]);
  const last = (await request.get("timeline")).body.items.at(-1);
  assert.deepEqual([last.event, last.by], ["export.fetched", {
    id: customer.id,
    service: null,
    type: "CUSTOMER",
  }]);
});

Deno.test("four eyes over REST: a colleague confirms an erasure and a waiver, and no other caller does", async () => {
  const requests = await requestSettings({ participants: ["order-service"], fourEyes: true });
  await using rest = await startRest({ requests });
  const shop = createRequestFixture(rest.world);
  const [first, second] = [rest.staff(["PRIVACY_OFFICER"]), rest.staff(["PRIVACY_OFFICER"])];
  const customer = await register(rest.world, { firstName: "Grace" });
  const request = await open(rest, first, customer.id, "ERASURE");
  const decide = (as: Principal, action: string, body?: unknown) =>
    rest.call("POST", `/gdpr-requests/${request.ref.id}/${action}`, {
      as,
      ...(body !== undefined && { body }),
    });
  const listed = async () =>
    (await rest.call("GET", "/gdpr-requests?proposed=true", { as: first })).body.items.map((
      { requestId }: { requestId: string },
    ) => requestId);

  const proposed = await request.read();
  assert.deepEqual([proposed.status, proposed.proposed, proposed.proposal], ["PENDING", true, {
    by: first.id,
  }]);
  assert.deepEqual(await listed(), [request.ref.id]);
  const own = await decide(first, "confirm");
  assert.deepEqual([own.status, own.body.code], [409, "REFUSED_IN_STATE"]);
  assert.match(own.body.message, /the person who has proposed it cannot confirm or reject it/);
  for (const as of [rest.staff(["CUSTOMER_MANAGER"]), rest.staff(["CUSTOMER_SUPPORT"]), shopper(customer)]) {
    assert.equal((await decide(as, "confirm")).status, 403);
  }
  assert.equal((await decide(second, "reject", {})).status, 400, "a rejection has a reason");
  const confirmed = await decide(second, "confirm", { note: "the letter is genuine" });
  assert.deepEqual([confirmed.status, confirmed.body.confirmedBy, confirmed.body.proposed], [
    200,
    second.id,
    false,
  ]);
  await shop.work();

  const waiver = { service: "order-service", reason: "shut down" };
  const waived = await decide(second, "waive", waiver);
  const [participant] = waived.body.participants;
  assert.deepEqual([participant.state, participant.waiverProposedBy, participant.waiverReason], [
    "ASKED",
    second.id,
    "shut down",
  ]);
  assert.deepEqual(await listed(), [request.ref.id]);
  assert.equal((await decide(second, "confirm", { service: "order-service" })).status, 409);
  assert.equal((await decide(first, "withdraw", { service: "order-service" })).status, 409);
  const rejection = { service: "order-service", reason: "it answers" };
  assert.equal((await decide(first, "reject", rejection)).status, 200);
  assert.equal((await decide(second, "waive", waiver)).status, 200);
  assert.equal((await decide(second, "withdraw", { service: "order-service" })).status, 200);
  assert.equal((await decide(second, "waive", waiver)).status, 200);
  assert.equal((await decide(first, "confirm", { service: "order-service" })).status, 200);
  await shop.work();
  const completed = await request.read();
  assert.equal(completed.outcome, "FULFILLED_WITH_WAIVERS");
  const receipt = await request.get("receipt");
  assert.equal(receipt.body.document.outcome, "FULFILLED_WITH_WAIVERS");
  assert.equal(receipt.body.document.confirmedBy, second.id);
  const [waivedBy] = receipt.body.document.participants;
  assert.deepEqual([waivedBy.waiverProposedBy, waivedBy.waiverConfirmedBy], [second.id, first.id]);
  assert.deepEqual(await listed(), []);
  const byOutcome = await rest.call("GET", "/gdpr-requests?outcome=FULFILLED_WITH_WAIVERS", { as: first });
  assert.equal(byOutcome.body.items.length, 1);
});

Deno.test("a request that is canceled or refused ends with its reason and without documents", async () => {
  await using rest = await startRest({ requests: await requestSettings({ graceMs: HOUR_MS }) });
  const as = rest.staff(["STORE_MANAGER"]);
  const customer = await register(rest.world);
  const canceled = await open(rest, as, customer.id, "ERASURE");
  for (const wrong of [{ reason: 7 }, { reason: "x".repeat(501) }, { why: "w" }]) {
    for (const action of ["cancel", "release", "retry"]) {
      const { body, status } = await canceled.act(action, wrong);
      assert.deepEqual([status, body.code], [400, "INVALID_INPUT"], `${action} ${JSON.stringify(wrong)}`);
    }
  }
  const { body } = await canceled.act("cancel", { reason: "by letter" });
  assert.deepEqual([body.status, body.outcome, body.state], ["COMPLETED", "CANCELLED", "COMPLETED"]);
  const refused = await open(rest, as, customer.id, "ERASURE");
  assert.notEqual(refused.path, canceled.path);
  const ground = "MANIFESTLY_UNFOUNDED";
  for (
    const wrong of [
      undefined,
      {},
      { reason: " ", ground },
      { reason: "x".repeat(501), ground },
      { reason: "r", ground, why: "w" },
      { reason: "r" },
      { reason: "r", ground: "BECAUSE" },
    ]
  ) {
    assert.equal((await refused.act("refuse", wrong)).status, 400, JSON.stringify(wrong));
  }
  const end = await refused.act("refuse", { reason: "manifestly unfounded", ground });
  assert.deepEqual([end.body.outcome, end.body.reasons.refusal, end.body.refusalGround], [
    "REFUSED",
    "manifestly unfounded",
    ground,
  ]);
  for (const part of ["export", "receipt"]) assert.equal((await refused.get(part)).status, 404);
  assert.deepEqual([end.body.informed, end.body.notices.map(({ kind }: { kind: string }) => kind)], [
    "PENDING",
    ["RECEIVED", "REFUSED"],
  ]);
  const listed = async (query: string) =>
    (await rest.call("GET", `/gdpr-requests?${query}`, { as })).body.items
      .map(({ requestId, informed }: Record<string, string>) => [requestId, informed]);
  const ids = [[refused.ref.id, "PENDING"], [canceled.ref.id, "PENDING"]];
  assert.deepEqual(await listed("undelivered=true"), ids);
  const [received, refusal] = end.body.notices;
  const waive = (noticeId: string, waiver: string, by = as, of = refused) =>
    rest.call("POST", `${of.path}/notices/${noticeId}/waive`, { as: by, body: { waiver } });
  for (const by of [rest.staff(["CUSTOMER_MANAGER"]), shopper(customer), rest.world.system]) {
    assert.equal((await waive(refusal.noticeId, "GIVEN_BY_PHONE", by)).status, 403);
  }
  assert.equal(
    (await waive(refusal.noticeId, "GIVEN_BY_PHONE", as, canceled)).status,
    404,
    "of another request",
  );
  assert.equal((await waive(refusal.noticeId, "as we like")).status, 400);
  const waived = await waive(refusal.noticeId, "GIVEN_BY_PHONE");
  const [, after] = waived.body.notices;
  assert.deepEqual([waived.status, after.delivery, after.waiver, after.waivedBy, waived.body.informed], [
    200,
    "WAIVED",
    "GIVEN_BY_PHONE",
    as.id,
    "PENDING",
  ]);
  assert.equal((await waive(refusal.noticeId, "SENT_BY_LETTER")).status, 409);
  await tell(rest.world, { kind: "gdpr_notice", storeId: as.storeId, id: received.noticeId }, "deliver");
  assert.equal((await refused.read()).informed, "WAIVED");
  assert.deepEqual(await listed("undelivered=true"), ids.slice(1));
  assert.equal((await refused.act("cancel")).body.code, "REFUSED_IN_STATE");
  const nowhere = `/gdpr-requests/${crypto.randomUUID()}`;
  assert.equal((await rest.call("POST", `${nowhere}/cancel`, { as })).status, 404);
  for (const part of ["", "/timeline", "/export", "/receipt"]) {
    assert.equal((await rest.call("GET", `${nowhere}${part}`, { as })).status, 404);
  }
});
