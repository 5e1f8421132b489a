/** GDPR rights of shoppers through the graph, and their refusal to every other caller. */
import assert from "node:assert/strict";
import { createRequestPerformers } from "../../actors/gdpr/mod.ts";
import { type ParticipantClient, type Right, RIGHTS } from "../../actors/gdpr/types.ts";
import type { Principal } from "../../domain/principal.ts";
import { PARTICIPANTS, requestSettings } from "../actors/settings.ts";
import { tell, type World } from "../actors/world.ts";
import { createKeys } from "../gdpr/keys.ts";
import { createRequestFixture } from "../gdpr/request_fixture.ts";
import {
  type AskOptions,
  bearer,
  createIssuer,
  registerShopper,
  type Reply,
  startGraph,
  stored,
  type TestGraph,
} from "./server.ts";

const REQUEST = `{
  id type status outcome receivedAt createdAt dueAt extended completedAt held version cancellable cancellableUntil
  identityVerified clockPausedSince requestedInformation participants { service state waiverReason } export { url expiresAt sha256 }
}`;
const RECTIFY =
  `mutation ($input: RequestRectificationInput!) { requestRectification(input: $input) { request ${REQUEST} } }`;
const CANCEL =
  `mutation ($id: ID!, $version: Int) { cancelGdprRequest(id: $id, expectedVersion: $version) { request ${REQUEST} } }`;
const READ = `query ($id: ID!) { gdprRequest(id: $id) ${REQUEST} }`;
const LIST = `{ gdprRequests { nodes ${REQUEST} } }`;
const OPENERS = { requestErasure: "ERASURE", requestAccess: "ACCESS", requestPortability: "PORTABILITY" };
const HOUR_MS = 60 * 60_000;

/** Every root field about requests. */
const FIELDS: Record<string, { query: string; variables?: Record<string, unknown> }> = {
  gdprRequest: { query: READ, variables: { id: crypto.randomUUID() } },
  gdprRequests: { query: LIST },
  requestErasure: { query: `mutation { requestErasure { request ${REQUEST} } }` },
  requestAccess: { query: `mutation { requestAccess { request ${REQUEST} } }` },
  requestPortability: { query: `mutation { requestPortability { request ${REQUEST} } }` },
  requestRectification: { query: RECTIFY, variables: { input: { firstName: "Eve" } } },
  cancelGdprRequest: { query: CANCEL, variables: { id: crypto.randomUUID() } },
};

Deno.test("a shopper uses every right and reads the requests in the account, the newest first", async () => {
  await using graph = await startGraph({ world: await gracious() });
  const { ref, as } = await registerShopper(graph.world, { firstName: "Ada" });
  const ids: string[] = [];
  for (const [field, type] of Object.entries(OPENERS)) {
    const request = await open(graph, field, as);
    const { id, receivedAt, createdAt, dueAt, cancellableUntil, ...rest } = request;
    const nothingYet = { outcome: null, completedAt: null, participants: [], export: null };
    const facts = { identityVerified: true, clockPausedSince: null, requestedInformation: null };
    const decisions = { held: false, extended: false, cancellable: true };
    assert.deepEqual(rest, { type, status: "PENDING", version: 1, ...nothingYet, ...facts, ...decisions });
    assert.equal(receivedAt, createdAt);
    assert.ok(Math.abs(Date.parse(createdAt) - Date.now()) < 60_000);
    const days = (Date.parse(dueAt) - Date.parse(createdAt)) / (24 * HOUR_MS);
    assert.ok(days >= 28 && days <= 31, `due after ${days} days`);
    const grace = cancellableUntil && Date.parse(cancellableUntil) - Date.parse(createdAt);
    assert.equal(grace, type === "ERASURE" ? HOUR_MS : null);
    ids.unshift(id);
    assert.deepEqual((await graph.ask(READ, { as, variables: { id: id.toUpperCase() } })).data, {
      gdprRequest: request,
    });
  }
  const { data, errors } = await graph.ask(RECTIFY, {
    as,
    variables: { input: { firstName: "Augusta", phone: null, locale: "de-ch" } },
  });
  assert.equal(errors, undefined);
  const { id, type, status, outcome, completedAt, createdAt } = data.requestRectification.request;
  assert.deepEqual([type, status, outcome, completedAt], [
    "RECTIFICATION",
    "COMPLETED",
    "FULFILLED",
    createdAt,
  ]);

  const account = await graph.ask(
    `{ me { firstName locale gdprRequests { nodes { id } } } gdprRequests { nodes { id } } }`,
    {
      as,
    },
  );
  const all = [id, ...ids].map((id) => ({ id }));
  assert.deepEqual(account.data, {
    me: { firstName: "Augusta", locale: "de-CH", gdprRequests: { nodes: all } },
    gdprRequests: { nodes: all },
  });
  const references = [{ __typename: "Customer", id: ref.id }];
  const entities = await graph.ask(
    `query ($references: [_Any!]!) {
      _entities(representations: $references) { ... on Customer { gdprRequests { nodes { id } } } }
    }`,
    { as, variables: { references } },
  );
  assert.deepEqual(entities.data._entities, [{ gdprRequests: { nodes: all } }]);
});

Deno.test("a second request for a right returns the open one, also under concurrency", async () => {
  await using graph = await startGraph({ world: await gracious() });
  const { as } = await registerShopper(graph.world);
  const requests = await Promise.all(Array.from({ length: 6 }, () => open(graph, "requestErasure", as)));
  const { id } = requests[0]!;
  assert.deepEqual([...new Set(requests.map((request) => request.id))], [id]);
  assert.equal(await countRequests(graph.world), 1);

  const other = await registerShopper(graph.world);
  assert.notEqual((await open(graph, "requestErasure", other.as)).id, id);
  await cancel(graph, as, id);
  const next = await open(graph, "requestErasure", as);
  assert.notEqual(next.id, id);
  assert.equal(next.status, "PENDING");
});

Deno.test("every field about requests refuses a caller without a shopper's valid token", async () => {
  await using graph = await startGraph();
  const { world } = graph;
  const { ref, as } = await registerShopper(world);
  const before = await everything(world);
  const officer: Principal = { ...world.staff, roles: ["PRIVACY_OFFICER", "STORE_MANAGER"] };
  const twin: Principal = { ...officer, id: ref.id };
  const callers: [string, Record<string, string>][] = [
    ["UNAUTHENTICATED", {}],
    ["UNAUTHENTICATED", { authorization: "Bearer x.y.z" }],
    ["UNAUTHENTICATED", { authorization: await bearer(await createIssuer(), as) }],
    ["UNAUTHENTICATED", { authorization: await bearer(graph.issuer, as, -3600) }],
    ["FORBIDDEN", { authorization: await bearer(graph.issuer, officer) }],
    ["FORBIDDEN", { authorization: await bearer(graph.issuer, twin) }],
    ["FORBIDDEN", { authorization: await bearer(graph.issuer, world.system) }],
  ];
  for (const [code, headers] of callers) {
    for (const [field, options] of Object.entries(FIELDS)) {
      const { codes, data } = await graph.ask(options.query, { ...options, headers });
      assert.deepEqual([field, codes, data], [field, [code], null]);
    }
  }
  assert.deepEqual(await everything(world), before);
});

Deno.test("another shopper's request can be neither read nor canceled, and looks like a missing one", async () => {
  await using graph = await startGraph({ world: await gracious() });
  const { world } = graph;
  const { as } = await registerShopper(world);
  const { id } = await open(graph, "requestErasure", as);
  const { as: eve } = await registerShopper(world);
  const elsewhere = { ...as, storeId: crypto.randomUUID() };
  const system = { ...world.system, storeId: elsewhere.storeId };
  await tell(world, { kind: "customer", storeId: elsewhere.storeId, id: as.id }, "register", {
    email: "twin@example.com",
  }, { by: system });
  const before = await everything(world);
  for (const by of [eve, elsewhere]) {
    for (const query of [READ, CANCEL]) {
      const replies = [];
      for (const asked of [id, crypto.randomUUID()]) {
        const { status, text } = await graph.ask(query, { as: by, variables: { id: asked } });
        replies.push([status, text.replaceAll(asked, "…").replace(/[0-9a-f]{32}/, "…")]);
      }
      assert.match(replies[0]![1] as string, /"code":"NOT_FOUND"/);
      assert.deepEqual(replies[0], replies[1]);
    }
    assert.deepEqual((await graph.ask(LIST, { as: by })).data, { gdprRequests: { nodes: [] } });
    for (const malformed of ["", "no-uuid", `${id}\u0000`]) {
      const { codes } = await graph.ask(READ, { as: by, variables: { id: malformed } });
      assert.deepEqual(codes, ["BAD_USER_INPUT"]);
    }
  }
  assert.deepEqual(await everything(world), before);
  assert.equal((await graph.ask(READ, { as, variables: { id } })).data.gdprRequest.status, "PENDING");
});

Deno.test("a shopper unknown to the store has no rights there", async () => {
  await using graph = await startGraph();
  const { as } = await registerShopper(graph.world);
  const elsewhere = { ...as, storeId: crypto.randomUUID() };
  const before = await everything(graph.world);
  for (const field of [...Object.keys(OPENERS), "requestRectification"]) {
    const { codes } = await graph.ask(FIELDS[field]!.query, { ...FIELDS[field], as: elsewhere });
    assert.deepEqual([field, codes], [field, ["NOT_FOUND"]]);
  }
  assert.deepEqual(await everything(graph.world), before);
});

Deno.test("a request can be canceled by its current version until its work cannot be undone", async () => {
  await using graph = await startGraph({ world: await gracious() });
  const { world } = graph;
  const shop = createRequestFixture(world);
  const { as } = await registerShopper(world);

  const first = await open(graph, "requestErasure", as);
  const stale = await graph.ask(CANCEL, { as, variables: { id: first.id, version: 7 } });
  assert.deepEqual([stale.codes, stale.data], [["CONFLICT"], { cancelGdprRequest: null }]);
  const canceled = await cancel(graph, as, first.id, first.version);
  assert.deepEqual([canceled.status, canceled.outcome, canceled.version], ["COMPLETED", "CANCELLED", 2]);
  assert.ok(canceled.completedAt);
  const again = await graph.ask(CANCEL, { as, variables: { id: first.id } });
  assert.deepEqual(again.codes, ["REFUSED_IN_STATE"]);
  const timers = await world.admin`select from timers where actor_id = ${first.id}`;
  assert.equal(timers.length, 0);

  const second = await open(graph, "requestErasure", as);
  await shop.work(new Date(Date.now() + 2 * HOUR_MS));
  const late = await graph.ask(CANCEL, { as, variables: { id: second.id } });
  assert.deepEqual([late.codes, late.data], [["REFUSED_IN_STATE"], { cancelGdprRequest: null }]);
  const { data } = await graph.ask(READ, { as, variables: { id: second.id } });
  assert.equal(data.gdprRequest.status, "IN_PROGRESS");
});

Deno.test("a shopper reads what the store has decided about a request, and until when it can be canceled", async () => {
  await using graph = await startGraph({ world: await gracious({ fourEyes: true }) });
  const { world } = graph;
  const fixture = createRequestFixture(world);
  const { ref, as } = await registerShopper(world);
  const read = async ({ id }: { id: string }, by = as) =>
    (await graph.ask(READ, { as: by, variables: { id } })).data?.gdprRequest;
  const cancellation = ({ cancellable, cancellableUntil }: Record<string, unknown>) => [
    cancellable,
    cancellableUntil,
  ];

  const receivedAt = new Date(Date.now() - 10 * 24 * HOUR_MS).toISOString();
  const letter = await fixture.open(ref, "ERASURE", { channel: "LETTER", receivedAt }, { by: world.officer });
  const received = await read(letter);
  assert.deepEqual([received.receivedAt, received.identityVerified], [receivedAt, false]);
  assert.deepEqual(cancellation(received), [true, null], "the check and a second person come first");
  await fixture.tell(letter, "information.request", { reason: "the signature differs" });
  const paused = await read(letter);
  assert.ok(Date.parse(paused.clockPausedSince) > Date.parse(receivedAt));
  assert.equal(paused.requestedInformation, "the signature differs");
  assert.equal(await read(letter, (await registerShopper(world)).as), null, "of another shopper");
  await fixture.tell(letter, "information.receive");
  const resumed = await read(letter);
  assert.deepEqual([resumed.clockPausedSince, resumed.requestedInformation], [null, null]);
  await fixture.tell(letter, "identity.verify", { method: "EMAIL_REPLY" });
  const proposed = await read(letter);
  assert.deepEqual([proposed.identityVerified, ...cancellation(proposed)], [true, true, null]);
  const second = { ...world.officer, id: crypto.randomUUID() };
  await fixture.tell(letter, "confirm", {}, { by: second });
  const inGrace = await read(letter);
  const left = Date.parse(inGrace.cancellableUntil) - Date.now();
  assert.ok(left > HOUR_MS / 2 && left <= HOUR_MS, "from the confirmation on");
  await fixture.tell(letter, "hold", { reason: "an unpaid invoice", ground: "LEGAL_CLAIM" });
  const held = await read(letter);
  assert.deepEqual([held.held, ...cancellation(held)], [true, true, null], "no end is known");
  await fixture.tell(letter, "extend", { reason: "many systems" });
  assert.equal((await read(letter)).extended, true);
  const canceled = await cancel(graph, as, letter.id);
  assert.deepEqual(cancellation(canceled), [false, null]);

  const access = await open(graph, "requestAccess", as);
  const [service] = PARTICIPANTS as [string];
  const ofAccess = { ...letter, id: access.id };
  const collected = { "source.collect": () => Promise.resolve("done" as const) };
  await createRequestFixture(world, collected).work();
  await fixture.tell(ofAccess, "waive", { service, reason: "the service is closed" });
  const { participants, ...collecting } = await read(access);
  assert.deepEqual(participants.filter(({ waiverReason }: Record<string, unknown>) => waiverReason), [
    { service, state: "WAIVED", waiverReason: "the service is closed" },
  ]);
  assert.deepEqual([collecting.status, ...cancellation(collecting)], ["IN_PROGRESS", true, null]);
});

Deno.test("a change of a request returns the customer as it is then, and none after the erasure", async () => {
  await using graph = await startGraph();
  const { as } = await registerShopper(graph.world);
  const { data } = await graph.ask(
    `mutation {
      requestRectification(input: { firstName: "Ada" }) { request { type } customer { firstName version } }
    }`,
    { as },
  );
  assert.deepEqual(data.requestRectification, {
    request: { type: "RECTIFICATION" },
    customer: { firstName: "Ada", version: 2 },
  });
  const { id } = await open(graph, "requestErasure", as);
  await createRequestFixture(graph.world).work();
  const again = await graph.ask(`mutation { requestErasure { request { id } customer { version } } }`, {
    as,
  });
  assert.deepEqual([again.errors, again.data.requestErasure], [undefined, {
    request: { id },
    customer: null,
  }]);
});

Deno.test("a rectification with an unknown field or an invalid value is refused as a whole", async () => {
  await using graph = await startGraph();
  const { as } = await registerShopper(graph.world);
  const before = await everything(graph.world);
  const inline = `mutation { requestRectification(input: { shoeSize: "Secret" }) { request { id } } }`;
  const cases: [AskOptions & { query?: string }, string, RegExp][] = [
    [{ query: inline }, "GRAPHQL_VALIDATION_FAILED", /shoeSize/],
    [{ variables: { input: { firstName: "Eve", shoeSize: "Secret" } } }, "BAD_USER_INPUT", /shoeSize/],
    [
      { variables: { input: { firstName: "Eve", email: "Secret" } } },
      "BAD_USER_INPUT",
      /"email" is not defined/,
    ],
    [
      { variables: { input: {} } },
      "BAD_USER_INPUT",
      /Cannot open a GDPR request: must contain at least one field/,
    ],
    [{ variables: { input: { phone: "Secret" } } }, "BAD_USER_INPUT", /phone must be/],
    [{ variables: { input: { firstName: "Secret\u0000" } } }, "BAD_USER_INPUT", /firstName must not/],
    [{ variables: { input: null } }, "BAD_USER_INPUT", /input/],
  ];
  for (const [{ query = RECTIFY, ...options }, code, message] of cases) {
    const { codes, errors, text } = await graph.ask(query, { as, ...options });
    assert.deepEqual(codes, [code]);
    assert.match(errors?.[0]?.message ?? "", message);
    assert.doesNotMatch(text, /Secret/);
  }
  assert.deepEqual(await everything(graph.world), before);
});

Deno.test("the values of a rectification are stored in the profile and nowhere else", async () => {
  await using graph = await startGraph();
  const { ref, as } = await registerShopper(graph.world, { firstName: "Grace" });
  const input = {
    firstName: "Augusta",
    lastName: "Lovelace-King",
    phone: "+441234567890",
  };
  const headers = { "idempotency-key": "correct-me" };
  const { data, text } = await graph.ask(RECTIFY, { as, headers, variables: { input } });
  assert.equal(data.requestRectification.request.outcome, "FULFILLED");
  const [customer] = await graph.world.admin`select * from customers where customer_id = ${ref.id}`;
  for (const [field, value] of Object.entries(input)) {
    assert.equal(customer?.[field], value);
    assert.ok(!text.includes(value), `${field} in the answer`);
    for (const table of await tablesBut(graph.world, "customers")) {
      const rows = await graph.world.admin.unsafe(`select t::text as text from ${table} t`);
      for (const row of rows) assert.ok(!row.text.includes(value), `${field} in ${table}`);
    }
  }
  const topics = await graph.world.admin`select topic from outbox where key = ${ref.id} order by seq`;
  assert.ok(topics.some(({ topic }) => topic === "customer.updated"));
});

Deno.test("a suspended shopper keeps every right", async () => {
  await using graph = await startGraph({ world: await gracious() });
  const { ref, as } = await registerShopper(graph.world);
  await tell(graph.world, ref, "account.suspend");
  const { data } = await graph.ask(RECTIFY, { as, variables: { input: { firstName: "Ada" } } });
  assert.equal(data.requestRectification.request.outcome, "FULFILLED");
  for (const field of Object.keys(OPENERS)) assert.ok((await open(graph, field, as)).id);
});

Deno.test("a request repeated with its key opens no other one, even after the first one has ended", async () => {
  await using graph = await startGraph({ world: await gracious() });
  const { as } = await registerShopper(graph.world);
  const key = (key: string) => ({ headers: { "idempotency-key": key } });
  const first = await open(graph, "requestErasure", as, key("one"));
  assert.deepEqual(await open(graph, "requestErasure", as, key("one")), first);
  const canceled = await cancel(graph, as, first.id);
  assert.deepEqual(await open(graph, "requestErasure", as, key("one")), canceled);
  assert.equal(await countRequests(graph.world), 1);

  const other = await registerShopper(graph.world);
  assert.notEqual((await open(graph, "requestErasure", other.as, key("one"))).id, first.id);
  assert.equal((await open(graph, "requestAccess", as, key("one"))).type, "ACCESS");
  assert.notEqual((await open(graph, "requestErasure", as, key("two"))).id, first.id);

  await graph.world.admin`delete from idempotency_keys`; // as housekeeping does after a day
  await cancel(graph, as, (await open(graph, "requestErasure", as)).id);
  assert.notEqual((await open(graph, "requestErasure", as, key("one"))).id, first.id); // the key is free again
  const another = await graph.ask(RECTIFY, { as, ...key("two"), variables: { input: { firstName: "A" } } });
  assert.equal(another.errors, undefined); // the key belongs to the field
  const changed = await graph.ask(RECTIFY, { as, ...key("two"), variables: { input: { firstName: "B" } } });
  assert.deepEqual(changed.codes, ["BAD_USER_INPUT"]);
});

Deno.test("an anonymized subject can read the erasure until its end, and nothing else", async () => {
  await using graph = await startGraph();
  const { world } = graph;
  const shop = createRequestFixture(world);
  const { ref, as } = await registerShopper(world);
  const { id } = await open(graph, "requestErasure", as);
  await shop.work();
  const see = async () => (await graph.ask(READ, { as, variables: { id } })).data.gdprRequest;
  const begun = await see();
  assert.deepEqual([begun.status, begun.outcome], ["IN_PROGRESS", null]);
  const names = PARTICIPANTS.toSorted();
  assert.deepEqual(
    begun.participants,
    names.map((service) => ({ service, state: "ASKED", waiverReason: null })),
  );

  const me = await graph.ask(`{ me { id gdprRequests { nodes { id } } } }`, { as });
  assert.deepEqual([me.codes, me.data], [["REFUSED_IN_STATE"], { me: null }]);
  for (const field of ["requestAccess", "requestPortability", "requestRectification"]) {
    const { codes } = await graph.ask(FIELDS[field]!.query, { ...FIELDS[field], as });
    assert.deepEqual([field, codes], [field, ["REFUSED_IN_STATE"]]);
  }
  for (const service of PARTICIPANTS) {
    await tell(world, { kind: "gdpr_request", storeId: ref.storeId, id }, "participant.confirm", { service });
  }
  await shop.work();
  const completed = await see();
  assert.deepEqual([completed.status, completed.outcome], ["COMPLETED", "FULFILLED"]);
  assert.deepEqual(
    completed.participants,
    names.map((service) => ({ service, state: "CONFIRMED", waiverReason: null })),
  );
  assert.deepEqual((await graph.ask(LIST, { as })).data, { gdprRequests: { nodes: [completed] } });
});

Deno.test("an export can be downloaded by its subject until it expires", async () => {
  const keys = await createKeys();
  await using graph = await startGraph({
    world: { requests: await requestSettings({ participants: [] }) },
    exportKeys: keys,
  });
  const { world } = graph;
  const noParticipants: ParticipantClient = { collect: () => assert.fail("there are no peers") };
  const shop = createRequestFixture(
    world,
    createRequestPerformers(world.database.pool("customer_api"), noParticipants, keys),
  );
  const { as } = await registerShopper(world);
  const { as: eve } = await registerShopper(world);
  const { id, export: early } = await open(graph, "requestAccess", as);
  assert.equal(early, null);
  await shop.work();
  const see = async () => (await graph.ask(READ, { as, variables: { id } })).data.gdprRequest;
  const { outcome, participants, export: given } = await see();
  assert.equal(outcome, "FULFILLED");
  assert.deepEqual(participants, [{ service: "customer-service", state: "RECEIVED", waiverReason: null }]);
  assert.match(given.url, /^\/exports\/[\w.~-]+$/);
  assert.match(given.sha256, /^[0-9a-f]{64}$/);
  assert.ok(Date.parse(given.expiresAt) > Date.now());
  const listed = await graph.ask(`{ me { gdprRequests { nodes { export { sha256 } } } } }`, { as });
  assert.deepEqual(listed.data.me.gdprRequests.nodes, [{ export: { sha256: given.sha256 } }]);

  const { id: erasure } = await open(graph, "requestErasure", as);
  await shop.work();
  const wait = `query($id: ID!) { gdprRequest(id: $id) { status waitsForDownloadUntil fetchedAt } }`;
  const waiting = (await graph.ask(wait, { as, variables: { id: erasure } })).data.gdprRequest;
  assert.deepEqual(waiting, {
    status: "PENDING",
    waitsForDownloadUntil: given.expiresAt,
    fetchedAt: null,
  });
  const proceed =
    `mutation($id: ID!) { proceedWithErasure(id: $id) { request { status waitsForDownloadUntil } } }`;
  for (const [by, of, code] of [[eve, erasure, "NOT_FOUND"], [as, id, "REFUSED_IN_STATE"]] as const) {
    assert.deepEqual((await graph.ask(proceed, { as: by, variables: { id: of } })).codes, [code]);
  }
  assert.doesNotMatch((await graph.ask(READ, { as: eve, variables: { id } })).text, /exports|sha256/);

  await world.admin`update gdpr_export_parts set expires_at = now() - interval '1 second'`;
  assert.equal((await see()).export, null);

  const { data } = await graph.ask(proceed, { as, variables: { id: erasure } });
  assert.deepEqual(data.proceedWithErasure.request, { status: "PENDING", waitsForDownloadUntil: null });
  await shop.work();
  const [gone, erased] = [await see(), (await graph.ask(wait, { as, variables: { id: erasure } })).data];
  assert.deepEqual([gone.outcome, erased.gdprRequest.status], ["NOT_FETCHED", "COMPLETED"]);
});

Deno.test("every request is on one page, newest first, and selecting every field stays within the limits", async () => {
  await using graph = await startGraph();
  const { as } = await registerShopper(graph.world);
  for (let at = 0; at < 52; at++) {
    await graph.ask(RECTIFY, { as, variables: { input: { firstName: `Ada ${at}` } } });
  }
  const rows = await graph.world.admin`
    select request_id from gdpr_requests order by created_at desc, request_id desc`;
  const pages: { nodes: { id: string }[]; edges: unknown; pageInfo: Record<string, unknown> }[] = [];
  for (let after: unknown = null, more: unknown = true; more;) {
    const { data, errors } = await graph.ask(
      `query ($after: String) {
        me { version gdprRequests(first: 25, after: $after) {
          nodes { id } edges { cursor node { id } }
          pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
        } }
        gdprRequests(first: 25, after: $after) { nodes { id } }
      }`,
      { as, variables: { after } },
    );
    assert.equal(errors, undefined);
    const page = data.me.gdprRequests;
    assert.deepEqual(data.gdprRequests.nodes, page.nodes);
    assert.equal(page.pageInfo.hasPreviousPage, after !== null);
    pages.push(page);
    [after, more] = [page.pageInfo.endCursor, page.pageInfo.hasNextPage];
  }
  assert.deepEqual(pages.map(({ nodes }) => nodes.length), [25, 25, 2]);
  const ids = pages.flatMap(({ nodes }) => nodes.map(({ id }) => id));
  assert.deepEqual(ids, rows.map((row) => row.requestId));
  for (const { nodes, edges } of pages) {
    assert.deepEqual(edges, nodes.map((node) => ({ cursor: node.id, node })));
  }

  const { data, errors } = await graph.ask(
    `{ me {
      id email firstName lastName phone locale status version
      addresses { id line1 line2 city state country postalCode isDefaultShipping isDefaultBilling }
      shopperGroups { id name priceListId priority assignedAt }
      gdprRequests(first: 50) { nodes ${REQUEST} pageInfo { hasNextPage endCursor } }
    } gdprRequests { nodes ${REQUEST} } }`,
    { as },
  );
  assert.equal(errors, undefined);
  assert.equal(data.me.gdprRequests.nodes.length, 50);
  assert.deepEqual(data.gdprRequests.nodes, data.me.gdprRequests.nodes.slice(0, 20));
});

Deno.test("a page has 1 to 50 requests, and a cursor of another shopper leads nowhere", async () => {
  await using graph = await startGraph();
  const { as } = await registerShopper(graph.world);
  const { as: eve } = await registerShopper(graph.world);
  const { id } = await open(graph, "requestAccess", as);
  await open(graph, "requestAccess", eve);
  const list =
    `query ($first: Int!, $after: String) { gdprRequests(first: $first, after: $after) { nodes { id } } }`;
  for (
    const [variables, field] of [[{ first: 0 }, "first"], [{ first: 51 }, "first"], [
      { first: 1, after: "x" },
      "after",
    ]] as const
  ) {
    const { codes, errors } = await graph.ask(list, { as, variables });
    assert.deepEqual(codes, ["BAD_USER_INPUT"]);
    const fields = errors?.[0]?.extensions.fields as { field: string }[];
    assert.deepEqual(fields.map((problem) => problem.field), [
      field,
    ]);
  }
  const { data } = await graph.ask(list, { as: eve, variables: { first: 1, after: id } });
  assert.deepEqual(data, { gdprRequests: { nodes: [] } });
});

Deno.test("the graph has the same rights as the requests", async () => {
  await using graph = await startGraph();
  const { data } = await graph.ask(`{ __type(name: "GdprRequestType") { enumValues { name } } }`);
  const names: Right[] = data.__type.enumValues.map(({ name }: { name: Right }) => name);
  assert.deepEqual(names.sort(), RIGHTS.toSorted());
});

/** Erasures begin after an hour. */
async function gracious(changes: Parameters<typeof requestSettings>[0] = {}) {
  return { requests: await requestSettings({ graceMs: HOUR_MS, ...changes }) };
}

// deno-lint-ignore no-explicit-any -- an answer of the graph
async function open(graph: TestGraph, field: string, as: Principal, options: AskOptions = {}): Promise<any> {
  return succeeded(await graph.ask(FIELDS[field]!.query, { as, ...options }), field).request;
}

async function cancel(graph: TestGraph, as: Principal, id: string, version?: number) {
  return succeeded(await graph.ask(CANCEL, { as, variables: { id, version } }), "cancelGdprRequest").request;
}

function succeeded({ data, errors }: Reply, field: string) {
  assert.equal(errors, undefined);
  return data[field];
}

async function countRequests({ admin }: World): Promise<number> {
  const [row] = await admin`select count(*)::int as count from gdpr_requests`;
  return row?.count;
}

async function everything(world: World): Promise<unknown> {
  return [await stored(world), await countRequests(world)];
}

async function tablesBut({ admin }: World, but: string): Promise<string[]> {
  const rows = await admin<{ relname: string }[]>`
    select relname from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace`;
  return rows.map(({ relname }) => relname).filter((name) => name !== but);
}
