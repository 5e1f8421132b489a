/** ConfirmErasure over a socket, as participants call it: at the wrong time, twice, and for others. */
import {
  confirmationBytes,
  evidenceDigest,
  type SignedConfirmation,
} from "../../actors/gdpr/receipts/confirmation.ts";
import { isTextOf, type TextDigest } from "../../actors/gdpr/receipts/text_digest.ts";
import assert from "node:assert/strict";
import type { Principal } from "../../domain/principal.ts";
import type { RequestSettings } from "../../actors/gdpr/requests/behavior.ts";
import type { ActorRef } from "../../actors/commands.ts";
import { type CallerProof, createAdmission } from "../../auth/callers.ts";
import { openDevelopmentIssuer } from "../../auth/development_issuer.ts";
import { PARTICIPANTS, requestSettings } from "../actors/settings.ts";
import { createWorld, register, shopper, type World } from "../actors/world.ts";
import { createRequestFixture } from "../gdpr/request_fixture.ts";
import type { CallOptions, Outcome } from "./client.ts";
import { createMethodsOver, serveLookups } from "./serve.ts";

const [ORDERS, PAYMENTS, MAILS] = PARTICIPANTS as [string, string, string];
const DAY_MS = 24 * 60 * 60_000;

Deno.test("an erasure is completed by its participants, and its receipt lists what each has done", async () => {
  await using house = await serveErasures();
  const request = await house.erase();
  for (const service of PARTICIPANTS) {
    assert.equal((await house.row(request)).status, "IN_PROGRESS");
    const { status, response } = await house.confirm(request, { service, evidence: `${service}: 2 rows` });
    assert.deepEqual([status, response.accepted, response.already_confirmed], ["OK", true, false]);
    await house.work();
  }
  const { status, outcome } = await house.row(request);
  assert.deepEqual([status, outcome], ["COMPLETED", "FULFILLED"]);
  const [receipt] = await house.world.admin`
    select document from erasure_receipts where request_id = ${request.id}`;
  const evidence = receipt?.document.participants.map((
    { service, evidence }: { service: string; evidence: TextDigest },
  ) => [service, isTextOf(evidence, `${service}: 2 rows`)]);
  assert.deepEqual(evidence, PARTICIPANTS.toSorted().map((service) => [service, true]));
  const confirmed = await house.world.admin`
    select about, principal_service from actor_events
    where actor_id = ${request.id} and event_type = 'participant.confirm' order by sequence`;
  assert.deepEqual(
    [...confirmed].map(({ about, principalService }) => [about, principalService]),
    PARTICIPANTS.map((service) => [service, "anonymous"]),
  );
});

Deno.test("a repeated confirmation is accepted and changes nothing, before and after the end", async () => {
  await using house = await serveErasures();
  const request = await house.erase();
  await house.confirm(request, { evidence: "the first word" });
  const once = await house.stored(request);
  for (const evidence of ["the first word", "another word", ""]) {
    const { status, response } = await house.confirm(request, { evidence });
    assert.deepEqual([status, response.accepted, response.already_confirmed], ["OK", true, true]);
  }
  assert.deepEqual(await house.stored(request), once);

  for (const service of PARTICIPANTS.slice(1)) await house.confirm(request, { service });
  await house.work();
  const completed = await house.stored(request);
  for (const service of PARTICIPANTS) {
    assert.equal((await house.confirm(request, { service, evidence: "again" })).status, "OK");
  }
  assert.deepEqual(await house.stored(request), completed);
  const { evidence } = await house.participant(request, ORDERS);
  assert.equal(evidence, null, "the completed erasure has removed it");
});

Deno.test("concurrent confirmations at two replicas are all accepted and one is recorded", async () => {
  await using house = await serveErasures();
  await using replica = await serveLookups(house.world.database);
  const request = await house.erase();
  const before = await house.journal(request);
  const message = asked(request, { evidence: "done" });
  const outcomes = await Promise.all(
    Array.from(
      { length: 8 },
      (_, at) => (at % 2 ? house : replica).client.call("ConfirmErasure", message),
    ),
  );
  assert.deepEqual(outcomes.map(({ status }) => status), Array(8).fill("OK"));
  const repeated = outcomes.filter(({ response }) => response.already_confirmed);
  assert.equal(repeated.length, 7);
  assert.equal(await house.journal(request), before + 1);
});

Deno.test("all participants confirm concurrently, and the erasure is verified once", async () => {
  await using house = await serveErasures();
  const request = await house.erase();
  const outcomes = await Promise.all(PARTICIPANTS.map((service) => house.confirm(request, { service })));
  assert.deepEqual(outcomes.map(({ status }) => status), PARTICIPANTS.map(() => "OK"));
  await house.work();
  assert.equal((await house.row(request)).outcome, "FULFILLED");
  const effects = await house.world.admin`select type from effects where actor_id = ${request.id}`;
  assert.deepEqual(effects.map(({ type }) => type), ["erasure.verify"]);
});

Deno.test("a late participant is accepted, a waived one is not", async () => {
  await using house = await serveErasures();
  const request = await house.erase();
  await house.world.admin`
    update timers set due_at = now() where actor_id = ${request.id} and name like 'overdue %'`;
  await house.work();
  assert.equal((await house.participant(request, ORDERS)).state, "OVERDUE");
  assert.equal((await house.confirm(request)).status, "OK");
  assert.equal((await house.participant(request, ORDERS)).state, "CONFIRMED");

  await house.tell(request, "waive", { service: PAYMENTS, reason: "the service was shut down" });
  const waived = await house.stored(request);
  const refused = await house.confirm(request, { service: PAYMENTS });
  assert.equal(refused.status, "FAILED_PRECONDITION");
  assert.equal(
    refused.details,
    `Cannot confirm erasure ${request.id}: it no longer waits for ${PAYMENTS}`,
  );
  assert.deepEqual(await house.stored(request), waived);
});

Deno.test("a request that waits for no confirmation refuses it", async (t) => {
  await using house = await serveErasures(DAY_MS);
  const open = async (right: string, fields = {}) => {
    const customer = await register(house.world);
    return await house.open(customer, right, fields, { by: shopper(customer) });
  };
  const cases: Record<string, () => Promise<ActorRef>> = {
    "an erasure that has not begun": () => open("ERASURE"),
    "an erasure that is held": async () => {
      const request = await open("ERASURE");
      await house.tell(request, "hold", { ground: "LEGAL_CLAIM", reason: "a lawsuit" });
      return request;
    },
    "an erasure that was canceled": async () => {
      const request = await open("ERASURE");
      await house.tell(request, "cancel");
      return request;
    },
    "an erasure that was refused": async () => {
      const request = await open("ERASURE");
      await house.tell(request, "refuse", { reason: "the law wants it kept", ground: "LEGAL_OBLIGATION" });
      return request;
    },
    "a request for access": () => open("ACCESS"),
    "a rectification": () => open("RECTIFICATION", { corrections: { firstName: "Ada" } }),
  };
  for (const [what, arrange] of Object.entries(cases)) {
    await t.step(what, async () => {
      const request = await arrange();
      const before = await house.stored(request);
      for (const service of [ORDERS, "review-service"]) {
        const { status, details } = await house.confirm(request, { service });
        assert.equal(status, "FAILED_PRECONDITION");
        assert.ok(details.startsWith(`Cannot confirm erasure ${request.id}: `), details);
      }
      assert.deepEqual(await house.stored(request), before);
    });
  }
});

Deno.test("an unknown request and a service that does not participate are not found", async () => {
  await using house = await serveErasures();
  const request = await house.erase();
  const before = await house.stored(request);
  const elsewhere = { ...request, storeId: crypto.randomUUID() };
  const customer = { ...request, id: (await house.row(request)).customerId };
  const strangers: [string, Promise<Outcome>][] = [
    ["another store", house.confirm(elsewhere)],
    ["an unknown request", house.confirm({ ...request, id: crypto.randomUUID() })],
    ["a customer's id", house.confirm(customer)],
    ["a service that was never asked", house.confirm(request, { service: "review-service" })],
    ["this service", house.confirm(request, { service: "customer-service" })],
  ];
  for (const [what, outcome] of strangers) {
    assert.deepEqual([what, (await outcome).status], [what, "NOT_FOUND"]);
  }
  assert.deepEqual(await house.stored(request), before);
});

Deno.test("a request that a newer version handles is UNAVAILABLE for now", async () => {
  await using house = await serveErasures();
  const request = await house.erase();
  await house.world
    .admin`update gdpr_requests set machine = 'gdpr_erasure@99' where request_id = ${request.id}`;
  assert.equal((await house.confirm(request)).status, "UNAVAILABLE");
  await house.world
    .admin`update gdpr_requests set machine = 'gdpr_erasure@1' where request_id = ${request.id}`;
  assert.equal((await house.confirm(request)).status, "OK");
});

Deno.test("an invalid confirmation is refused before it reaches SQL", async (t) => {
  await using house = await serveErasures();
  const request = await house.erase();
  const before = await house.stored(request);
  const cases: [what: string, message: Record<string, string>, details: RegExp][] = [
    ["no request", { request_id: "" }, /request_id must be a UUID/],
    ["no UUID", { request_id: "'; drop table gdpr_requests" }, /request_id must be a UUID/],
    ["no store", { store_id: "" }, /store_id must be a UUID/],
    ["no service", { service: "" }, /service must not be empty/],
    ["a service's name that is too long", { service: "x".repeat(101) }, /service must have at most 100/],
    ["a service's name with a NUL", { service: `${ORDERS}\u0000` }, /service must not contain control/],
    ["too much evidence", { evidence: "x".repeat(2_001) }, /evidence must have at most 2000/],
    ["evidence with a line break", { evidence: "2 rows\nSecret" }, /evidence must not contain control/],
    [
      "evidence with an email",
      { evidence: "2 rows of grace@example.com" },
      /evidence must not contain an email/,
    ],
    [
      "evidence with a phone number",
      { evidence: "caller 020 7946 0333" },
      /evidence must not contain a phone/,
    ],
    ["evidence with a NUL", { evidence: "2 rows\u0000" }, /evidence must not contain control/],
  ];
  for (const [what, message, details] of cases) {
    await t.step(what, async () => {
      const outcome = await house.client.call("ConfirmErasure", { ...asked(request), ...message });
      assert.equal(outcome.status, "INVALID_ARGUMENT");
      assert.match(outcome.details, details);
      assert.equal(outcome.fields.length, 1);
      assert.match(outcome.fields[0]!, details);
      assert.doesNotMatch(outcome.details, /participant\.confirm|[a-z]Id\b/);
      assert.doesNotMatch(outcome.details, /Secret|drop table/);
    });
  }
  assert.deepEqual(await house.stored(request), before);
  const most = { evidence: "ü".repeat(2_000), request_id: request.id.toUpperCase() };
  const { status } = await house.client.call("ConfirmErasure", { ...asked(request), ...most });
  assert.equal(status, "OK");
});

Deno.test("token: a participant confirms for itself, in its own store, and no other service for it", async (t) => {
  await using stack = new AsyncDisposableStack();
  const folder = stack.adopt(await Deno.makeTempDir(), (path) => Deno.remove(path, { recursive: true }));
  const issuer = await openDevelopmentIssuer(folder);
  const house = stack.use(await serveErasures(0, { mode: "token", verifyToken: issuer.verify }));
  const request = await house.erase();
  const before = await house.stored(request);
  const { system, staff } = house.world;
  const token = async (principal: Principal, service: string | undefined): Promise<CallOptions> => ({
    metadata: { authorization: `Bearer ${await issuer.sign({ principal, service }, 60)}` },
  });
  const elsewhere = { ...system, storeId: crypto.randomUUID() };
  const officer: Principal = { ...staff, roles: ["PRIVACY_OFFICER"] };
  const subject: Principal = {
    ...staff,
    id: (await house.row(request)).customerId,
    type: "CUSTOMER",
    roles: [],
  };
  const cases: [who: string, options: CallOptions, status: string][] = [
    ["no caller", {}, "UNAUTHENTICATED"],
    ["another participant", await token(system, PAYMENTS), "PERMISSION_DENIED"],
    ["a service that may confirm nothing", await token(system, "cart-service"), "PERMISSION_DENIED"],
    ["a service named anonymous", await token(system, "anonymous"), "PERMISSION_DENIED"],
    ["a system that is not a service", await token(system, undefined), "PERMISSION_DENIED"],
    ["itself in another store", await token(elsewhere, ORDERS), "PERMISSION_DENIED"],
    ["a privacy officer", await token(officer, undefined), "PERMISSION_DENIED"],
    ["the subject", await token(subject, undefined), "PERMISSION_DENIED"],
  ];
  for (const [who, options, status] of cases) {
    await t.step(who, async () => {
      assert.equal((await house.confirm(request, {}, options)).status, status);
    });
  }
  assert.deepEqual(await house.stored(request), before);

  const own = await token(system, ORDERS);
  assert.equal((await house.confirm(request, {}, own)).status, "OK");
  assert.equal((await house.confirm({ ...request, id: crypto.randomUUID() }, {}, own)).status, "NOT_FOUND");
});

Deno.test("a participant with a public key has to sign, and every other signature is refused", async () => {
  const [pair, earlier, other] = await Promise.all([1, 2, 3].map(createKeyPair));
  const peerKeys = { [ORDERS]: [pair!.publicKey, earlier!.publicKey] };
  await using house = await serveErasures(0, undefined, { peerKeys });
  const request = await house.erase();
  const { customerId } = await house.row(request);
  const evidence = "2 orders, 1 Stück";
  const sign = async (
    key: typeof pair,
    changes: Partial<SignedConfirmation> = {},
    signedEvidence = evidence,
  ) => {
    const evidenceSha256 = evidenceDigest(request.id, signedEvidence).sha256;
    const { storeId, id: requestId } = request;
    const confirmation = { storeId, customerId, requestId, service: ORDERS, evidenceSha256, ...changes };
    const bytes = confirmationBytes(confirmation);
    return new Uint8Array(await crypto.subtle.sign("Ed25519", key!.privateKey, bytes));
  };
  const confirm = (signature: Uint8Array | undefined, fields: Record<string, string> = {}) =>
    house.client.call("ConfirmErasure", {
      ...asked(request, { evidence }),
      ...fields,
      ...(signature && { signature }),
    });
  const valid = await sign(pair);
  const before = await house.stored(request);
  const flipped = valid.map((byte, at) => at === 0 ? byte ^ 1 : byte);
  const refusals: [what: string, outcome: Promise<Outcome>, details: RegExp][] = [
    [
      "no signature",
      confirm(undefined),
      /signature must be given, because order-service has a public key here/,
    ],
    ["a changed signature", confirm(flipped), /signature must be the signature of this confirmation/],
    ["another key", confirm(await sign(other)), /must be the signature/],
    ["another evidence", confirm(await sign(pair, {}, "3 orders")), /must be the signature/],
    [
      "another customer",
      confirm(await sign(pair, { customerId: crypto.randomUUID() })),
      /must be the signature/,
    ],
    ["another store", confirm(await sign(pair, { storeId: crypto.randomUUID() })), /must be the signature/],
    [
      "another request",
      confirm(await sign(pair, { requestId: crypto.randomUUID() })),
      /must be the signature/,
    ],
    ["another service", confirm(await sign(pair, { service: PAYMENTS })), /must be the signature/],
    ["a short signature", confirm(valid.slice(1)), /signature must have 64 bytes/],
    ["a long signature", confirm(new Uint8Array([...valid, 0])), /signature must have 64 bytes/],
    [
      "a service without a key",
      confirm(valid, { service: PAYMENTS }),
      /must be absent, because payment-service has/,
    ],
    ["a service named like a method", confirm(valid, { service: "constructor" }), /must be absent/],
  ];
  for (const [what, outcome, details] of refusals) {
    const { status, details: message, fields } = await outcome;
    assert.deepEqual([what, status, fields.length], [what, "INVALID_ARGUMENT", 1]);
    assert.match(message, details);
    assert.match(fields[0]!, /^signature/);
  }
  assert.deepEqual(await house.stored(request), before);

  assert.equal((await confirm(await sign(earlier))).status, "OK", "the earlier key during a change of keys");
  assert.equal((await confirm(flipped)).status, "INVALID_ARGUMENT", "also when it has confirmed");
  const repeated = await confirm(valid, { evidence: ` ${evidence.normalize("NFD")} ` });
  assert.deepEqual([repeated.status, repeated.response.already_confirmed], ["OK", true]);
  for (const service of PARTICIPANTS.slice(1)) await house.confirm(request, { service, evidence: "no rows" });
  await house.work();
  const [receipt] = await house.world.admin`
    select document from erasure_receipts where request_id = ${request.id}`;
  const signatures = receipt?.document.participants.map((
    { service, signature }: { service: string; signature: unknown },
  ) => [service, signature]);
  const signature = {
    publicKey: earlier!.publicKey.toBase64(),
    signature: (await sign(earlier)).toBase64(),
  };
  assert.deepEqual(new Map(signatures), new Map([[ORDERS, signature], [PAYMENTS, null], [MAILS, null]]));
  const [stored] = receipt?.document.participants.filter(({ service }: { service: string }) =>
    service === ORDERS
  );
  assert.deepEqual(stored.evidence, evidenceDigest(request.id, evidence));
});

Deno.test("mesh: a participant that serves every store confirms for itself in any of them", async () => {
  await using house = await serveErasures(0, {
    mode: "mesh",
    trustDomain: "cluster.local",
    namespaces: ["shop"],
  });
  const request = await house.erase();
  const from = (service: string): CallOptions => ({
    metadata: { "x-forwarded-client-cert": `URI=spiffe://cluster.local/ns/shop/sa/${service}` },
  });
  assert.equal((await house.confirm(request, {}, from(PAYMENTS))).status, "PERMISSION_DENIED");
  assert.equal((await house.confirm(request, {}, from(ORDERS))).status, "OK");
});

async function createKeyPair() {
  const pair = await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"]) as CryptoKeyPair;
  const publicKey = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey));
  return { privateKey: pair.privateKey, publicKey };
}

/** Confirmation in the spelling of the contract. */
function asked({ storeId, id }: ActorRef, { service = ORDERS, evidence = "" } = {}) {
  return { request_id: id, store_id: storeId, service, evidence };
}

/** Server, and requests that a test moves. */
async function serveErasures(
  graceMs = 0,
  admission: CallerProof = { mode: "none" },
  settings: Partial<RequestSettings> = {},
) {
  await using stack = new AsyncDisposableStack();
  const world = stack.use(await createWorld({ requests: await requestSettings({ graceMs }) }));
  const callers = {
    GetCustomerGroups: [],
    GetCustomerSnapshot: [],
    ConfirmErasure: PARTICIPANTS,
    GetNotice: [],
    ConfirmNotice: [],
  };
  const admit = createAdmission({ ...admission, callers });
  const methods = await createMethodsOver(
    world.database.pool("customer_reader", 2),
    world.database.pool("customer_api", 8),
    settings,
  );
  const { client } = stack.use(await serveLookups(world.database, { admit, methods }));
  const shop = createRequestFixture(world);
  const running = stack.move();
  return {
    ...shop,
    world,
    client,
    /** Opens an erasure that waits for its participants. */
    async erase(): Promise<ActorRef> {
      const customer = await register(world);
      const request = await shop.open(customer, "ERASURE", {}, { by: shopper(customer) });
      await shop.work();
      return request;
    },
    confirm: (request: ActorRef, said: { service?: string; evidence?: string } = {}, options?: CallOptions) =>
      client.call("ConfirmErasure", asked(request, said), options),
    journal: (request: ActorRef) => countJournal(world, request),
    async participant({ id }: ActorRef, service: string) {
      const [row] = await world.admin`
        select * from gdpr_participants where request_id = ${id} and service = ${service}`;
      assert.ok(row);
      return row;
    },
    /** Every row that a confirmation would write. */
    async stored(request: ActorRef): Promise<unknown> {
      const participants = await world.admin`
        select * from gdpr_participants where request_id = ${request.id} order by service`;
      const [outbox] = await world.admin`select count(*)::int as count from outbox`;
      return [await shop.row(request), [...participants], outbox?.count, await countJournal(world, request)];
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

async function countJournal({ admin }: World, { id }: ActorRef): Promise<number> {
  const [row] = await admin`select count(*)::int as count from actor_events where actor_id = ${id}`;
  return row?.count;
}
