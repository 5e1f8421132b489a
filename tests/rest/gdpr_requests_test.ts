/** GDPR request routes for privacy officers: open, read, list and timeline. */
import assert from "node:assert/strict";
import { register, shopper, tell } from "../actors/world.ts";
import { PARTICIPANTS, requestSettings } from "../actors/settings.ts";
import { createRequestFixture } from "../gdpr/request_fixture.ts";
import { OFFICERS, statusesFor } from "./callers.ts";
import { startRest, type TestRest } from "./server.ts";

const HOUR_MS = 60 * 60_000;
const DAY_MS = 24 * HOUR_MS;
const PATH = "/gdpr-requests";
const IDENTITY = { method: "ID_DOCUMENT" };

const officer = (rest: TestRest) => rest.staff(["PRIVACY_OFFICER"]);
const withGrace = async (graceMs: number) => startRest({ requests: await requestSettings({ graceMs }) });

Deno.test("a request is opened on a customer's behalf, and opening it again returns the open one", async () => {
  await using rest = await withGrace(HOUR_MS);
  const as = officer(rest);
  const { id: customerId } = await register(rest.world);
  const body = { customerId, type: "ERASURE", identity: { ...IDENTITY, reference: "ticket 4711" } };
  const opened = await rest.call("POST", PATH, { as, body });
  const { requestId, createdAt, dueAt, identity } = opened.body;
  assert.deepEqual([opened.status, opened.body], [201, {
    requestId,
    customerId,
    hasAccount: true,
    type: "ERASURE",
    status: "PENDING",
    outcome: null,
    state: { PENDING: "grace" },
    cause: "REQUEST",
    proposed: false,
    proposal: null,
    confirmedBy: null,
    confirmedAt: null,
    cancellable: true,
    cancellableUntil: new Date(Date.parse(createdAt) + HOUR_MS).toISOString(),
    fetchedAt: null,
    waitsForDownloadUntil: null,
    held: false,
    atRisk: false,
    overdue: false,
    extended: false,
    residue: 0,
    createdAt,
    receivedAt: createdAt,
    channel: "OTHER",
    identityVerified: true,
    clockPausedSince: null,
    identity: {
      method: "ID_DOCUMENT",
      reference: "ticket 4711",
      verifiedBy: as.id,
      verifiedAt: identity.verifiedAt,
      failures: 0,
      informationReason: null,
    },
    representative: null,
    dueAt,
    completedAt: null,
    requestedBy: as.id,
    holdGround: null,
    refusalGround: null,
    informed: "PENDING",
    notices: opened.body.notices,
    machine: "gdpr_erasure@1",
    version: 1,
    reasons: { hold: null, extension: null, refusal: null, cancellation: null },
    participants: [],
  }]);
  assert.deepEqual(opened.body.notices.map(({ kind }: { kind: string }) => kind), ["RECEIVED"]);
  assert.ok(Date.parse(dueAt) - Date.parse(createdAt) >= 28 * DAY_MS);
  assert.equal(opened.headers.get("location"), `${PATH}/${requestId}`);
  assert.equal(opened.headers.get("etag"), '"1"');
  const read = await rest.call("GET", `${PATH}/${requestId}`, { as });
  assert.deepEqual([read.status, read.body, read.headers.get("etag")], [200, opened.body, '"1"']);
  const again = await rest.call("POST", PATH, { as, body });
  assert.deepEqual([again.status, again.body, again.headers.get("etag")], [200, opened.body, '"1"']);
  assert.equal((await rest.call("POST", PATH, { as, body: { ...body, type: "ACCESS" } })).status, 201);
});

Deno.test("a request is opened once per idempotency key, and a different request with the key is refused", async () => {
  await using rest = await withGrace(HOUR_MS);
  const as = officer(rest);
  const { id: customerId } = await register(rest.world);
  const headers = { "idempotency-key": "letter 17" };
  const post = (body: unknown) => rest.call("POST", PATH, { as, body, headers });
  const first = await post({ customerId, type: "ERASURE" });
  const second = await post({ customerId, type: "ERASURE" });
  assert.deepEqual([first.status, second.status, second.body], [201, 201, first.body]);
  const other = await post({ customerId, type: "ACCESS" });
  assert.deepEqual([other.status, other.body.code], [400, "INVALID_INPUT"]);
});

Deno.test("a rectification corrects the profile at once, and its values are only in the profile", async () => {
  await using rest = await startRest();
  const as = officer(rest);
  const { id: customerId } = await register(rest.world, { firstName: "Gracie", phone: "+41445551234" });
  const other = await register(rest.world, { email: "taken@example.com" });
  const corrections = { firstName: "Grace", phone: null };
  const body = { customerId, type: "RECTIFICATION", corrections, identity: IDENTITY };
  const done = await rest.call("POST", PATH, { as, body });
  assert.deepEqual([done.status, done.body.status, done.body.outcome, done.body.state], [
    201,
    "COMPLETED",
    "FULFILLED",
    "COMPLETED",
  ]);
  assert.ok(!done.text.includes("Grace"));
  const manager = rest.staff(["CUSTOMER_SUPPORT"]);
  const customer = (await rest.call("GET", `/customers/${customerId}`, { as: manager })).body;
  assert.deepEqual([customer.firstName, customer.phone], ["Grace", null]);

  const duplicate = {
    customerId,
    type: "RECTIFICATION",
    corrections: { email: "TAKEN@example.com" },
    identity: IDENTITY,
  };
  for (const email of ["TAKEN@example.com", "free@example.com"]) {
    const forbidden = await rest.call("POST", PATH, { as, body: { ...duplicate, corrections: { email } } });
    assert.deepEqual([forbidden.status, forbidden.body.code], [403, "FORBIDDEN"]);
    assert.match(forbidden.body.message, /requires the role CUSTOMER_MANAGER/);
  }
  const both = rest.staff(["PRIVACY_OFFICER", "CUSTOMER_MANAGER"]);
  const refused = await rest.call("POST", PATH, { as: both, body: duplicate });
  assert.deepEqual([refused.status, refused.body.code], [409, "ALREADY_EXISTS"]);
  assert.ok(!refused.text.toLowerCase().includes("taken@") && !refused.text.includes(other.id));
  const free = { ...duplicate, corrections: { email: "free@example.com" } };
  assert.equal((await rest.call("POST", PATH, { as: both, body: free })).status, 201);
});

Deno.test("a letter from outside an account waits for a check of the identity, which pauses while information is missing", async () => {
  await using rest = await withGrace(HOUR_MS);
  const as = officer(rest);
  const { id: customerId } = await register(rest.world, { firstName: "Grete" });
  const representative = { ground: "AUTHORIZATION", name: "Rosa Example", reference: "power of attorney" };
  const body = { customerId, type: "ERASURE", channel: "LETTER", note: "two pages", representative };
  const { body: opened } = await rest.call("POST", PATH, { as, body });
  assert.deepEqual([opened.state, opened.identityVerified, opened.channel, opened.representative], [
    { PENDING: "identifying" },
    false,
    "LETTER",
    representative,
  ]);
  assert.deepEqual([opened.cancellable, opened.cancellableUntil], [true, null], "the check may come late");
  const path = `${PATH}/${opened.requestId}`;
  const act = (action: string, body: unknown, by = as) =>
    rest.call("POST", `${path}/${action}`, { as: by, body });
  const list = async (query: string) =>
    (await rest.call("GET", `${PATH}?${query}`, { as })).body.items.length;
  assert.deepEqual([await list("identityVerified=false"), await list("identityVerified=true")], [1, 0]);

  const reason = "the signature differs";
  const actions: [string, Record<string, unknown>][] = [
    ["request-information", { reason }],
    ["receive-information", {}],
    ["fail-identity", { reason }],
    ["verify-identity", { ...IDENTITY, reference: "ticket 4711" }],
  ];
  const others = [
    rest.staff(["CUSTOMER_MANAGER"]),
    rest.world.system,
    shopper({ ...rest.world, id: customerId, kind: "customer" }),
  ];
  for (const [action, fields] of actions) {
    for (const by of others) assert.equal((await act(action, fields, by)).status, 403, action);
  }
  assert.equal((await act("request-information", {})).status, 400);
  assert.equal((await act("verify-identity", {})).status, 400);
  const quoting = await act("verify-identity", { ...IDENTITY, reference: "Grete's passport" });
  assert.deepEqual([quoting.status, quoting.body.details?.[0]?.field ?? "reference"], [400, "reference"]);

  const paused = (await act("request-information", { reason })).body;
  await rest.world
    .admin`update gdpr_requests set due_at = now() - interval '1 day' where request_id = ${opened.requestId}`;
  const { overdue, clockPausedSince, identity } = (await rest.call("GET", path, { as })).body;
  assert.deepEqual([overdue, clockPausedSince, identity.informationReason], [
    false,
    paused.clockPausedSince,
    reason,
  ]);
  assert.ok(clockPausedSince);
  assert.deepEqual([await list("overdue=true"), await list("overdue=false")], [0, 1]);
  assert.equal((await act("verify-identity", IDENTITY)).status, 409);
  assert.equal((await act("receive-information", { receivedAt: "2999-01-01" })).status, 400);
  const resumed = (await act("receive-information", {})).body;
  assert.deepEqual([resumed.clockPausedSince, resumed.dueAt], [null, opened.dueAt], "a pause within one day");
  assert.equal((await act("fail-identity", { reason })).body.identity.failures, 1);
  const verified = (await act("verify-identity", { ...IDENTITY, reference: "ticket 4711" })).body;
  assert.deepEqual([verified.state, verified.identityVerified, verified.identity.verifiedBy], [
    { PENDING: "grace" },
    true,
    as.id,
  ]);
  const verifiedAt = Date.parse(verified.identity.verifiedAt);
  assert.equal(verified.cancellableUntil, new Date(verifiedAt + HOUR_MS).toISOString());
  const timeline = (await rest.call("GET", `${path}/timeline`, { as })).body.items;
  assert.deepEqual(timeline.map(({ event, note }: Record<string, unknown>) => [event, note]), [
    ["open", "two pages"],
    ["information.request", null],
    ["information.receive", null],
    ["identity.fail", null],
    ["identity.verify", null],
  ]);
});

Deno.test("a person without an account is named by an email, which no answer contains", async () => {
  await using rest = await withGrace(HOUR_MS);
  const as = officer(rest);
  const body = {
    subject: { email: "Guest@Example.com", phone: "+442079460444", locale: "de" },
    type: "ACCESS",
    channel: "EMAIL",
  };
  const opened = await rest.call("POST", PATH, { as, body });
  const { requestId, customerId, hasAccount, identityVerified, channel } = opened.body;
  assert.deepEqual([opened.status, hasAccount, identityVerified, channel], [201, false, false, "EMAIL"]);
  const again = await rest.call("POST", PATH, {
    as,
    body: { ...body, subject: { email: "guest@example.com" } },
  });
  assert.deepEqual([again.status, again.body.requestId], [200, requestId]);
  const listed = await rest.call("GET", `${PATH}?customerId=${customerId}`, { as });
  assert.deepEqual(
    listed.body.items.map((item: Record<string, unknown>) => [item.requestId, item.hasAccount]),
    [[requestId, false]],
  );
  const read = await rest.call("GET", `${PATH}/${requestId}`, { as });
  for (const { body } of [opened, again, listed, read]) {
    assert.doesNotMatch(JSON.stringify(body), /guest|20794604/i);
  }
  const unknown = await rest.call("GET", `/customers/${customerId}`, { as: rest.staff(["STORE_MANAGER"]) });
  assert.equal(unknown.status, 404, "a guest is no customer");

  const { version } = (await rest.call("POST", `${PATH}/${requestId}/verify-identity`, {
    as,
    body: { method: "EMAIL_REPLY" },
  })).body;
  assert.equal(version, 2);
  const early = await rest.call("POST", `${PATH}/${requestId}/hand-over`, { as });
  assert.deepEqual([early.status, early.body.code], [409, "REFUSED_IN_STATE"]);
  for (const fields of [{ subject: {} }, { subject: { email: "guest" } }, { customerId }, {}]) {
    const invalid = await rest.call("POST", PATH, { as, body: { ...body, subject: undefined, ...fields } });
    const expected = "customerId" in fields ? 201 : 400; // the open request is verified by now
    assert.equal(invalid.status, expected, JSON.stringify(invalid.body));
  }
  const both = await rest.call("POST", PATH, { as, body: { ...body, customerId } });
  assert.match(both.body.message, /either customerId or subject/);
});

Deno.test("invalid fields and filters are refused by name", async () => {
  await using rest = await startRest();
  const as = officer(rest);
  const { id: customerId } = await register(rest.world);
  const wrong: [unknown, string][] = [
    [{ customerId, type: "DELETION" }, "type"],
    [{ customerId: "7", type: "ACCESS" }, "customerId"],
    [{ customerId, type: "ACCESS", cause: "RESTORE" }, "cause"],
    [{ customerId, type: "ACCESS", right: "ERASURE" }, "right"],
    [{ customerId, type: "ACCESS", corrections: { firstName: "Ada" } }, "corrections"],
    [{ customerId, type: "RECTIFICATION" }, "corrections"],
    [{ customerId, type: "RECTIFICATION", corrections: {} }, "corrections"],
    [{ customerId, type: "RECTIFICATION", corrections: { phone: "044", nick: "x" } }, "nick"],
    [{ customerId, type: "RECTIFICATION", corrections: { phone: null } }, "identity"],
    [{ customerId, type: "ACCESS", channel: "PIGEON" }, "channel"],
    [{ customerId, type: "ACCESS", channel: "ACCOUNT" }, "channel"],
    [{ customerId, type: "ACCESS", receivedAt: "2000-01-01" }, "receivedAt"],
    [{ customerId, type: "ACCESS", receivedAt: "2999-01-01" }, "receivedAt"],
    [{ customerId, type: "ACCESS", receivedAt: "18.11.2026" }, "receivedAt"],
    [{ customerId, type: "ACCESS", identity: { method: "PASSPORT_COPY" } }, "identity.method"],
    [{ customerId, type: "ACCESS", representative: { ground: "HEIR", name: "x" } }, "representative.ground"],
  ];
  for (const [body, field] of wrong) {
    const { status, body: { code, message } } = await rest.call("POST", PATH, { as, body });
    assert.deepEqual([status, code], [400, "INVALID_INPUT"], field);
    assert.ok(message.includes(field), message);
  }
  for (
    const query of [
      "type=DELETION",
      "status=OPEN",
      "identityVerified=yes",
      "overdue=yes",
      "customerId=7",
      "limit=101",
      "cursor=x",
      `cursor=${btoa('[-1,"x"]')}`,
      "state=held",
    ]
  ) assert.equal((await rest.call("GET", `${PATH}?${query}`, { as })).status, 400, query);
  const unknown = { customerId: crypto.randomUUID(), type: "ACCESS" };
  assert.equal((await rest.call("POST", PATH, { as, body: unknown })).status, 404);
});

Deno.test("the list is newest first, paginated, and filtered by each parameter", async () => {
  await using rest = await withGrace(HOUR_MS);
  const as = officer(rest);
  const shop = createRequestFixture(rest.world);
  const [one, two, three] = [
    await register(rest.world),
    await register(rest.world),
    await register(rest.world),
  ];
  const erasure = await shop.open(one, "ERASURE");
  const access = await shop.open(one, "ACCESS");
  const running = await shop.open(two, "ERASURE");
  const canceled = await shop.open(three, "ERASURE");
  await shop.tell(canceled, "cancel");
  await shop.tell(erasure, "hold", { ground: "LEGAL_CLAIM", reason: "a lawsuit" });
  const { admin } = rest.world;
  await admin`update timers set due_at = now() where actor_id = ${running.id} and (name like 'xstate.after%' or name like 'overdue %')`;
  await admin`delete from timers where actor_id = ${access.id}`;
  await shop.work();
  await admin`update gdpr_requests set due_at = now() - interval '1 day' where request_id = ${access.id}`;

  const search = async (query: string) => {
    const { status, body } = await rest.call("GET", `${PATH}?${query}`, { as });
    assert.equal(status, 200, query);
    return body.items.map((item: { requestId: string }) => item.requestId);
  };
  const all = [canceled, running, access, erasure].map(({ id }) => id);
  assert.deepEqual(await search(""), all);
  assert.deepEqual(await search("type=ACCESS"), [access.id]);
  assert.deepEqual(await search("status=IN_PROGRESS"), [running.id]);
  assert.deepEqual(await search("status=PENDING&type=ERASURE"), [erasure.id]);
  assert.deepEqual(await search("outcome=CANCELLED"), [canceled.id]);
  assert.deepEqual(await search("overdue=true"), [access.id]);
  assert.deepEqual(await search("overdue=false"), [canceled.id, running.id, erasure.id]);
  assert.deepEqual(await search(`customerId=${one.id.toUpperCase()}`), [access.id, erasure.id]);
  assert.deepEqual(await search("waitingFor=order-service"), [running.id]);
  assert.deepEqual(await search("waitingFor=unknown-service"), []);

  const paged: string[] = [];
  let next = "";
  do {
    const { body } = await rest.call("GET", `${PATH}?limit=1${next}`, { as });
    paged.push(...body.items.map((item: { requestId: string }) => item.requestId));
    next = body.nextCursor === null ? "" : `&cursor=${body.nextCursor}`;
  } while (next !== "");
  assert.deepEqual(paged, all);

  const { items } = (await rest.call("GET", PATH, { as })).body;
  const byId = new Map(items.map((item: { requestId: string }) => [item.requestId, item]));
  const { held, overdue, participants } = byId.get(erasure.id) as Record<string, unknown>;
  assert.deepEqual([held, overdue, participants], [true, false, []]);
  assert.deepEqual((byId.get(running.id) as Record<string, unknown>).participants, [
    ...PARTICIPANTS.toSorted().map((service) => ({ service, state: "ASKED" })),
  ]);
  assert.equal((byId.get(access.id) as Record<string, unknown>).overdue, true);
});

Deno.test("a request is at risk within seven days of its due date, and overdue after it", async () => {
  await using rest = await withGrace(HOUR_MS);
  const as = officer(rest);
  const shop = createRequestFixture(rest.world);
  const { id } = await shop.open(await register(rest.world), "ERASURE");
  const flags = async (daysLeft: number) => {
    const dueAt = new Date(Date.now() + daysLeft * DAY_MS);
    await rest.world.admin`update gdpr_requests set due_at = ${dueAt} where request_id = ${id}`;
    const { body } = await rest.call("GET", `${PATH}/${id}`, { as });
    return [body.atRisk, body.overdue];
  };
  assert.deepEqual([await flags(7.1), await flags(6.9), await flags(-0.1)], [
    [false, false],
    [true, false],
    [false, true],
  ]);
});

const NO_NOTE = { note: null, noteRemoved: false };

Deno.test("the timeline lists every event with its states and its principal, and is paginated", async () => {
  await using rest = await withGrace(HOUR_MS);
  const as = officer(rest);
  const shop = createRequestFixture(rest.world);
  const ref = await register(rest.world);
  const { id } = await shop.open(ref, "ERASURE", {}, { by: shopper(ref) });
  const act = (action: string, body: unknown) => rest.call("POST", `${PATH}/${id}/${action}`, { as, body });
  await act("hold", { ground: "LEGAL_CLAIM", reason: "a lawsuit" });
  await act("release", { note: "it is over" });
  await act("cancel", undefined);
  const { body } = await rest.call("GET", `${PATH}/${id}/timeline`, { as });
  const byOfficer = { by: { id: as.id, type: "STAFF", service: null } };
  const expected = [
    {
      sequence: 1,
      event: "open",
      service: null,
      document: null,
      failure: null,
      stateBefore: null,
      stateAfter: { PENDING: "grace" },
      by: { id: ref.id, type: "CUSTOMER", service: null },
      changedFields: [
        "customerId",
        "type",
        "requestedBy",
        "machine",
        "channel",
        "receivedAt",
        "identifiedAt",
        "identifiedBy",
        "identityMethod",
      ],
      reason: null,
      reasonRemoved: false,
      ...NO_NOTE,
    },
    {
      sequence: 2,
      event: "hold",
      service: null,
      document: null,
      failure: null,
      stateBefore: { PENDING: "grace" },
      stateAfter: { PENDING: "held" },
      ...byOfficer,
      changedFields: ["status", "holdReason", "holdGround"],
      reason: "a lawsuit",
      reasonRemoved: false,
      ...NO_NOTE,
    },
    {
      sequence: 3,
      event: "release",
      service: null,
      document: null,
      failure: null,
      stateBefore: { PENDING: "held" },
      stateAfter: { PENDING: "grace" },
      ...byOfficer,
      changedFields: ["status"],
      ...{ reason: null, reasonRemoved: false, note: "it is over", noteRemoved: false },
    },
    {
      sequence: 4,
      event: "cancel",
      service: null,
      document: null,
      failure: null,
      stateBefore: { PENDING: "grace" },
      stateAfter: "COMPLETED",
      ...byOfficer,
      changedFields: ["status"],
      reason: null,
      reasonRemoved: false,
      ...NO_NOTE,
    },
  ];
  assert.deepEqual(
    body.items.map(({ at, ...event }: { at: string }) => (assert.ok(Date.parse(at) > 0), event)),
    expected,
  );
  const first = await rest.call("GET", `${PATH}/${id}/timeline?limit=3`, { as });
  const second = await rest.call("GET", `${PATH}/${id}/timeline?limit=3&cursor=${first.body.nextCursor}`, {
    as,
  });
  assert.deepEqual([...first.body.items, ...second.body.items], body.items);
  assert.equal(second.body.nextCursor, null);
});

Deno.test("the timeline has public names for timer events, and names the service that an event is about", async () => {
  await using rest = await withGrace(HOUR_MS);
  const as = officer(rest);
  const shop = createRequestFixture(rest.world);
  const { id, ...ref } = await shop.open(await register(rest.world), "ERASURE");
  await shop.work(new Date(Date.now() + HOUR_MS + 1_000));
  await shop.tell({ ...ref, id }, "participant.confirm", { service: "order-service" });
  const read = async () => {
    const { body } = await rest.call("GET", `${PATH}/${id}/timeline`, { as });
    return body.items.map(({ event, service }: Record<string, unknown>) => [event, service]);
  };
  const events = await read();
  assert.deepEqual([...events.slice(0, 2), events.at(-1)], [
    ["open", null],
    ["grace.ended", null],
    ["participant.confirm", "order-service"],
  ]);
  // Rows as the previous version wrote them.
  const region = "gdpr_erasure@1.IN_PROGRESS.awaiting_confirmations";
  await rest.world.admin`
    insert into actor_events (store_id, actor_kind, actor_id, sequence, event_type, state_before, state_after,
      principal_id, principal_type, at)
    select store_id, actor_kind, actor_id, 100 + step, type, state_after, state_after, principal_id, 'SYSTEM', at
    from actor_events, unnest(array['ask', ${`xstate.after.604800000.${region}.payment-service.asked`}])
      with ordinality as old (type, step)
    where actor_id = ${id} and sequence = 2`;
  assert.deepEqual((await read()).slice(-2), [
    ["participant.asked_again", null],
    ["participant.overdue", "payment-service"],
  ]);
});

Deno.test("a request of an unknown machine can be read, and refuses every command", async () => {
  await using rest = await withGrace(HOUR_MS);
  const as = officer(rest);
  const shop = createRequestFixture(rest.world);
  const request = await shop.open(await register(rest.world), "ERASURE");
  const { admin } = rest.world;
  for (const snapshot of [{ value: { PENDING: { dreaming: "deep" } }, context: {} }, {}]) {
    await admin`
      update gdpr_requests set machine = 'gdpr_erasure@9', snapshot = ${admin.json(snapshot)}
      where request_id = ${request.id}`;
    const read = await rest.call("GET", `${PATH}/${request.id}`, { as });
    const { machine, state, status, held } = read.body;
    assert.deepEqual([read.status, machine, state, status, held], [
      200,
      "gdpr_erasure@9",
      snapshot.value ?? "PENDING",
      "PENDING",
      false,
    ]);
    assert.equal((await rest.call("GET", `${PATH}/${request.id}/timeline`, { as })).status, 200);
    assert.equal((await rest.call("GET", PATH, { as })).body.items.length, 1);
    const bodies: Record<string, unknown> = {
      cancel: undefined,
      release: undefined,
      hold: { ground: "LEGAL_CLAIM", reason: "r" },
      refuse: { reason: "r", ground: "MANIFESTLY_UNFOUNDED" },
      extend: { reason: "r" },
      retry: {},
      waive: { service: "order-service", reason: "r" },
    };
    for (const [action, body] of Object.entries(bodies)) {
      const reply = await rest.call("POST", `${PATH}/${request.id}/${action}`, { as, body });
      assert.deepEqual([reply.status, reply.body.code], [409, "REFUSED_IN_STATE"], action);
    }
  }
});

Deno.test("an erased customer has no new requests, and its erasure remains readable", async () => {
  await using rest = await startRest();
  const as = officer(rest);
  const ref = await register(rest.world);
  const { requestId } =
    (await rest.call("POST", PATH, { as, body: { customerId: ref.id, type: "ERASURE", identity: IDENTITY } }))
      .body;
  await createRequestFixture(rest.world).work();
  const { body } = await rest.call("GET", `${PATH}/${requestId}`, { as });
  assert.deepEqual([body.status, body.participants.length], ["IN_PROGRESS", 3]);
  const late = await rest.call("POST", PATH, {
    as,
    body: { customerId: ref.id, type: "ACCESS", identity: IDENTITY },
  });
  assert.deepEqual([late.status, late.body.code], [409, "REFUSED_IN_STATE"]);
  const again = await rest.call("POST", PATH, {
    as,
    body: { customerId: ref.id, type: "ERASURE", identity: IDENTITY },
  });
  assert.deepEqual([again.status, again.body.requestId], [200, requestId]);
});

Deno.test("only privacy officers of the store handle its requests", async () => {
  await using rest = await withGrace(HOUR_MS);
  const ref = await register(rest.world);
  const shop = createRequestFixture(rest.world);
  const { id } = await shop.open(ref, "ERASURE");
  const every = (call: Parameters<typeof statusesFor>[2]) => statusesFor(rest, ref.id, call);
  for (const part of ["", "/timeline"]) {
    assert.deepEqual(await every((by) => rest.call("GET", `${PATH}/${id}${part}`, by)), OFFICERS());
  }
  for (const part of ["/export", "/receipt"]) {
    assert.deepEqual(await every((by) => rest.call("GET", `${PATH}/${id}${part}`, by)), OFFICERS(404, 403));
  }
  const body = { customerId: ref.id, type: "ERASURE", identity: IDENTITY };
  assert.deepEqual(await every((by) => rest.call("POST", PATH, { ...by, body })), OFFICERS());
  assert.deepEqual(await every((by) => rest.call("GET", PATH, by)), { ...OFFICERS(), OTHER_STORE: 200 });
  const elsewhere = rest.staff(["STORE_MANAGER"], crypto.randomUUID());
  assert.deepEqual((await rest.call("GET", PATH, { as: elsewhere })).body, { items: [], nextCursor: null });

  const actions: Record<string, { body?: unknown; before?: [string, Record<string, unknown>?] }> = {
    hold: { body: { ground: "LEGAL_CLAIM", reason: "r" } },
    release: { before: ["hold", { ground: "LEGAL_CLAIM", reason: "r" }] },
    cancel: {},
    refuse: { body: { reason: "r", ground: "MANIFESTLY_UNFOUNDED" } },
    extend: { body: { reason: "r" } },
  };
  for (const [action, { body, before }] of Object.entries(actions)) {
    const statuses = await every(async (by) => {
      const request = await shop.open(await register(rest.world), "ERASURE");
      if (before) await shop.tell(request, ...before);
      return await rest.call("POST", `${PATH}/${request.id}/${action}`, { ...by, body });
    });
    assert.deepEqual(statuses, OFFICERS(200, 403), action);
  }
  for (
    const [action, body] of [["retry", {}], ["waive", { service: "order-service", reason: "r" }]] as const
  ) {
    const statuses = await every((by) => rest.call("POST", `${PATH}/${id}/${action}`, { ...by, body }));
    assert.deepEqual(statuses, OFFICERS(409, 403), action);
  }
});

Deno.test("a request about a customer of another store is not found", async () => {
  await using rest = await startRest();
  const elsewhere = crypto.randomUUID();
  const ref = { kind: "customer", storeId: elsewhere, id: crypto.randomUUID() } as const;
  await tell(rest.world, ref, "register", { email: "a@example.com" }, {
    by: { ...rest.world.system, storeId: elsewhere },
  });
  const body = { customerId: ref.id, type: "ACCESS", identity: IDENTITY };
  assert.equal((await rest.call("POST", PATH, { as: officer(rest), body })).status, 404);
});
