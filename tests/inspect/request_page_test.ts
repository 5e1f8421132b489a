/** Page of one request: its contents for each kind of request, and access. */
import assert from "node:assert/strict";
import { createRequestPerformers } from "../../actors/gdpr/mod.ts";
import type { Delivery } from "../../actors/gdpr/types.ts";
import { type ParticipantClient, ParticipantError } from "../../actors/gdpr/types.ts";
import { checkReceipts } from "../../actors/gdpr/receipts/check.ts";
import { startEffectLoop } from "../../actors/runtime/effect_loop.ts";
import { startTimerLoop } from "../../actors/runtime/timer_loop.ts";
import type { Sql } from "../../db/connect.ts";
import { countWork } from "../../db/work_counts.ts";
import { eventually } from "../eventually.ts";
import { createRequestFixture } from "../gdpr/request_fixture.ts";
import { requestSettings } from "../actors/settings.ts";
import { ADDRESS, customerRef, register, shopper, tell } from "../actors/world.ts";
import { readLive, shownOn } from "./live_stream.ts";
import { offeredOn, pageOf, partOf, pathOf, textOf } from "./request_pages.ts";
import { idsIn } from "./overview_rows.ts";
import { startInspector, type TestInspector } from "./server.ts";

const HOUR = 60 * 60_000;

/** order-service delivers one record, payment-service is unreachable. */
const PEERS: ParticipantClient = {
  async *collect(service): AsyncGenerator<Delivery> {
    if (service === "payment-service") throw new ParticipantError("UNREACHABLE", "Cannot reach it");
    const record = {
      category: "order",
      purpose: "to deliver",
      retention: "ten years",
      recipients: [],
      data: { number: 1 },
      recordedAt: undefined,
    };
    yield await Promise.resolve({ record, cursor: "1" });
  },
};

function workshopOf({ world, keys }: TestInspector) {
  return createRequestFixture(
    world,
    createRequestPerformers(world.database.pool("customer_api"), PEERS, keys),
  );
}

Deno.test("an erasure is shown from its grace period to its receipt", async () => {
  await using inspector = await startInspector({ requests: await requestSettings({ graceMs: HOUR }) });
  const { world, officer } = inspector;
  const shop = workshopOf(inspector);
  const customer = await register(world, { firstName: "Ada", lastName: "Lovelace" });
  await tell(world, customer, "address.add", ADDRESS);
  const request = await shop.open(customer, "ERASURE", {}, { by: shopper(customer) });
  const line = async () => partOf(await pageOf(inspector, request.id), "situation");

  assert.match(await line(), /^Grace period until .* UTC; can still be canceled; due in \d\d days$/);
  await shop.tell(request, "hold", { ground: "LEGAL_CLAIM", reason: "a lawsuit" }, { by: officer });
  assert.match(await line(), /^On hold since .*: a lawsuit; due in/);
  await shop.tell(request, "release", {}, { by: officer });
  await shop.work(new Date(Date.now() + HOUR + 1_000));
  const waiting = await pageOf(inspector, request.id);
  assert.match(
    partOf(waiting, "situation"),
    /^Waiting for \S+-service, \S+-service and \S+-service; asked \d times, again automatically on .* UTC; due in/,
  );
  assert.match(partOf(waiting, "next"), /payment-service is asked again/);
  assert.match(partOf(waiting, "next"), /payment-service is marked as overdue if it has not answered/);
  assert.match(partOf(waiting, "messages"), /customer\.erasure_requested/);
  assert.match(
    partOf(waiting, "messages"),
    /Customer erased/,
    "the service erases its own customer in the same transaction",
  );
  assert.match(partOf(waiting, "messages"), /waiting/);
  await world.admin`update outbox set published_at = now()`;
  assert.doesNotMatch(partOf(await pageOf(inspector, request.id), "messages"), /waiting/);

  await shop.tell(request, "participant.confirm", { service: "order-service", evidence: "12 orders" });
  await shop.tell(request, "participant.confirm", { service: "communication-service" });
  await shop.tell(request, "waive", { service: "payment-service", reason: "shut down" }, { by: officer });
  await shop.work();
  const done = await pageOf(inspector, request.id);
  assert.match(partOf(done, "situation"), /^Completed: fulfilled with waivers on/);
  assert.match(partOf(done, "participants"), /order-service Confirmed/);
  assert.match(partOf(done, "participants"), /payment-service Waived/);
  assert.doesNotMatch(partOf(done, "participants"), /12 orders|shut down/, "the erasure removes free text");
  assert.match(partOf(done, "messages"), /customer\.erased Customer erased/);
  assert.match(partOf(done, "timeline"), /Waived payment-service#\d+ .*The reason was removed .*by you/);
  assert.match(partOf(done, "timeline"), /Put on hold#2 .*The reason was removed .*by you/);
  assert.match(partOf(done, "timeline"), /Opened#1 .*by the customer/);
  assert.match(partOf(done, "next"), /No work is pending/);
  assert.doesNotMatch(done, /Ada|Lovelace|Bahnhofstrasse|example\.com/);

  const shown = await inspector.get(`${pathOf(request.id)}/receipt/page`, officer);
  assert.match(await shown.text(), /<h1>Receipt of an erasure<\/h1>/);
  assert.match(shown.headers.get("content-security-policy") ?? "", /style-src 'sha256-/);
  const receipt = await inspector.get(`${pathOf(request.id)}/receipt`, officer);
  assert.match(receipt.headers.get("content-disposition") ?? "", /^attachment; filename="receipt-/);
  const file = await receipt.text();
  const { hash, keyId } = JSON.parse(file);
  for (const shown of [hash, keyId]) assert.ok(partOf(done, "documents").includes(shown));
  const [checked] = await checkReceipts([{ name: "receipt.json", text: file }], []);
  assert.deepEqual(checked?.findings.filter(({ verdict }) => verdict === "failed"), []);
});

Deno.test("an access request shows which participant fails and why, then offers its documents", async () => {
  await using inspector = await startInspector();
  const { world, officer } = inspector;
  const shop = workshopOf(inspector);
  const request = await shop.open(await register(world, { firstName: "Ada" }), "ACCESS");
  await shop.work();
  const stuck = await pageOf(inspector, request.id);
  assert.match(
    partOf(stuck, "situation"),
    /^payment-service has not answered since .* UTC: it cannot be reached \(1 attempt\); it is asked again automatically on .* UTC; due in/,
  );
  assert.match(partOf(stuck, "moves"), /^Retry payment-service now Continue without payment-service…$/);
  assert.match(
    partOf(stuck, "timeline"),
    /Call to payment-service failed#\d+ .*It cannot be reached \(UNREACHABLE\)/,
  );
  assert.doesNotMatch(partOf(stuck, "timeline"), /changed participants/);
  assert.match(
    partOf(stuck, "participants"),
    /payment-service Waiting to ask again once .* UNREACHABLE: it cannot be reached/,
  );
  assert.match(partOf(stuck, "documents"), /will appear here when the request is fulfilled/);

  await shop.tell(request, "waive", { service: "payment-service", reason: "it has nothing" }, {
    by: officer,
  });
  await shop.work();
  const hidden = await pageOf(inspector, request.id);
  assert.doesNotMatch(hidden, /href="[^"]+\/export\//);
  assert.match(partOf(hidden, "documents"), /Your role does not show personal values/);
  const refused = await inspector.get(`${pathOf(request.id)}/export/access.json`, officer);
  assert.equal(refused.status, 403);
  assert.match(await refused.text(), /require the role CUSTOMER_SUPPORT/);
  const reading = inspector.staff(["PRIVACY_OFFICER", "CUSTOMER_SUPPORT"]);
  const done = await pageOf(inspector, request.id, "", reading);
  const parts = [...done.matchAll(/href="([^"]+\/export\/[^"]+)"/g)].map(([, href = ""]) => href);
  assert.deepEqual(parts.map((href) => href.split("/").at(-1)), [
    "access.html",
    "access.json",
    "manifest.json",
  ]);
  assert.match(partOf(done, "documents"), /The customer downloads them in the storefront.*SHA-256/);
  assert.doesNotMatch(done, /\/exports\//, "the customer's own link is not shown");
  const uses = () => world.admin`select part, uses from gdpr_export_parts order by part`;
  const before = await uses();
  const head = await fetch(`${inspector.origin}${pathOf(request.id)}/export/access.json`, {
    method: "HEAD",
    headers: { authorization: `Bearer ${await inspector.token(officer)}` },
  });
  assert.deepEqual([head.status, await head.text()], [200, ""]);
  assert.deepEqual(await uses(), before, "a HEAD request uses up no link");
  assert.doesNotMatch(done, /Ada/);
  for (const _ of ["first link", "second link"]) {
    const document = await inspector.get(`${pathOf(request.id)}/export/access.json`, reading);
    assert.equal(document.status, 200);
    assert.match(document.headers.get("content-disposition") ?? "", /attachment/);
    assert.match(await document.text(), /"Ada"/);
  }
  const after = textOf(await pageOf(inspector, request.id));
  assert.match(after, new RegExp(`Downloaded access\\.json.*by staff ${reading.id}`));
  await world.admin`update gdpr_export_parts set expires_at = now()`;
  assert.match(
    partOf(await pageOf(inspector, request.id), "documents"),
    /have expired or were deleted by an erasure/,
  );
  const gone = await inspector.get(`${pathOf(request.id)}/export/access.json`, officer);
  assert.equal(gone.status, 404);
  await gone.body?.cancel();
});

Deno.test("the status line shows work that was given up, until it is retried", async () => {
  await using inspector = await startInspector();
  const { world, officer } = inspector;
  const shop = workshopOf(inspector);
  const request = await shop.open(await register(world), "ERASURE");
  await shop.work();
  for (const service of ["order-service", "payment-service", "communication-service"]) {
    await shop.tell(request, "participant.confirm", { service });
  }
  // The worker does so after twenty failures, which would take too long here.
  await world.admin`
    update effects set state = 'POISONED', attempts = 20, last_error = 'the disk is full'
    where actor_id = ${request.id} and state = 'PENDING'`;
  const stuck = await pageOf(inspector, request.id);
  assert.match(partOf(stuck, "situation"), /^Failed permanently: scanning for remaining data;/);
  assert.match(partOf(stuck, "next"), /Failed permanently.*failed 20 times in a row.*the disk is full/);
  assert.deepEqual(offeredOn(stuck).retry, []);
  const answer = await inspector.post(pathOf(request.id), officer, {
    action: "retry",
    version: stuck.match(/name="version" value="(\d+)"/)?.[1] ?? "",
    confirmed: "yes",
  });
  assert.equal(answer.status, 303);
  await answer.body?.cancel();
  const again = await pageOf(inspector, request.id);
  assert.doesNotMatch(partOf(again, "situation"), /Failed permanently/);
  assert.match(partOf(again, "next"), /Failed earlier/);
});

/** Makes PostgreSQL refuse the erasure of the request's customer. */
async function refuseErasures(admin: Sql, requestId: string): Promise<void> {
  await admin.unsafe(`
    create function refuse() returns trigger language plpgsql as
      $$ begin raise exception 'the disk is full' using errcode = '53100'; end $$;
    create trigger refuse before update on customers for each row when (old.customer_id = (
      '${await customerOf(admin, requestId)}'::uuid)) execute function refuse()`);
}

async function customerOf(admin: Sql, requestId: string): Promise<string> {
  const [row] = await admin`select customer_id from gdpr_requests where request_id = ${requestId}`;
  return row?.customerId;
}

Deno.test("an erasure that cannot begin is stuck, and its page says so with the error", async () => {
  await using inspector = await startInspector({ requests: await requestSettings({ graceMs: HOUR }) });
  const { world, officer } = inspector;
  const shop = workshopOf(inspector);
  const [failing, fine] = await Promise.all([
    shop.open(await register(world), "ERASURE"),
    shop.open(await register(world), "ERASURE"),
  ]);
  const list = async () => idsIn(await (await inspector.get("/inspect?stuck=yes", officer)).text());
  assert.deepEqual(await list(), []);
  await world
    .admin`update timers set due_at = now() where actor_id = ${failing.id} and name like '%UNTIL_START%'`;
  await refuseErasures(world.admin, failing.id);
  const sql = world.database.pool("customer_worker");
  const attempts = async () => {
    const [timer] = await world
      .admin`select attempts from timers where actor_id = ${failing.id} and attempts > 0`;
    return timer?.attempts ?? 0;
  };
  {
    await using worker = startTimerLoop({ sql, actors: world.actors, pollMs: 20 });
    for (let attempt = 1; attempt <= 3; attempt++) {
      if (attempt === 1) assert.deepEqual(await list(), []);
      await world.admin`update timers set due_at = now() where actor_id = ${failing.id} and attempts > 0`;
      worker.wake();
      await eventually(async () => assert.ok(await attempts() >= attempt));
    }
  }
  await eventually(async () => assert.deepEqual(await list(), [failing.id]));
  const page = await pageOf(inspector, failing.id);
  assert.match(
    partOf(page, "situation"),
    /^Failed \d times in a row: The work starts.*PostgreSQL 53100.*; retried automatically\. /,
  );
  assert.match(page, /data-tone="alarm"/);
  assert.doesNotMatch(partOf(await pageOf(inspector, fine.id), "situation"), /Failed/);
  const counts = await countWork(sql);
  assert.deepEqual([counts.timers.failing, counts.effects.failing], [1, 0]);
});

Deno.test("an effect that fails repeatedly makes its request stuck before it is given up", async () => {
  await using inspector = await startInspector();
  const { world, officer } = inspector;
  const shop = workshopOf(inspector);
  const request = await shop.open(await register(world), "PORTABILITY");
  await world
    .admin`update timers set due_at = now() where actor_id = ${request.id} and name like '%UNTIL_START%'`;
  const sql = world.database.pool("customer_worker");
  const performers = { "source.collect": () => Promise.reject(new Error("the key is missing")) };
  const loops = { sql, api: sql, actors: world.actors, performers, pollMs: 20 };
  const list = async () => idsIn(await (await inspector.get("/inspect?stuck=yes", officer)).text());
  await using _timers = startTimerLoop(loops);
  await using _effects = startEffectLoop(loops);
  await eventually(async () => assert.deepEqual(await list(), [request.id]));
  const { status, outcome } = await shop.row(request);
  assert.deepEqual([status, outcome], ["IN_PROGRESS", null]);
  assert.match(
    partOf(await pageOf(inspector, request.id), "situation"),
    /^Failed \d times in a row: Collecting .*the key is missing; retried/,
  );
  assert.ok((await countWork(sql)).effects.failing > 0);
});

Deno.test("the number of calls to a participant includes retries by officers", async () => {
  await using inspector = await startInspector();
  const { world, officer } = inspector;
  const shop = workshopOf(inspector);
  const request = await shop.open(await register(world), "ACCESS");
  await shop.work();
  for (let time = 0; time < 2; time++) {
    await shop.tell(request, "retry", { service: "payment-service" }, { by: officer });
    await shop.work();
  }
  const page = await pageOf(inspector, request.id);
  assert.match(
    partOf(page, "situation"),
    /^payment-service has not answered .*\(3 attempts\); it is asked again automatically/,
  );
  assert.match(partOf(page, "participants"), /payment-service Waiting to ask again 3 times/);
  await world.admin`update gdpr_participants set state = 'OVERDUE' where state = 'RETRYING'`;
  assert.match(await pageOf(inspector, request.id), /badge alarm/);
  await shop.tell(request, "refuse", { reason: "not the subject", ground: "IDENTITY_NOT_PROVEN" }, {
    by: officer,
  });
  const refused = await pageOf(inspector, request.id);
  assert.match(
    partOf(refused, "participants"),
    /payment-service Not answered/,
    "an answer is not needed any more",
  );
  assert.doesNotMatch(refused, /badge alarm/);
  assert.match(partOf(refused, "documents"), /There are no documents: the request was not fulfilled\./);
});

Deno.test("an erasure links to the request that it waits for, and says when someone has to act", async () => {
  await using inspector = await startInspector();
  const { world, officer } = inspector;
  const shop = workshopOf(inspector);
  const customer = await register(world);
  const access = await shop.open(customer, "ACCESS");
  const erasure = await shop.open(customer, "ERASURE");
  await shop.work();
  const waiting = await pageOf(inspector, erasure.id);
  assert.match(partOf(waiting, "facts"), new RegExp(`Waiting for access request …${access.id.slice(-8)}`));
  assert.ok(waiting.includes(`href="/inspect/requests/${access.id}"`));
  const list = await (await inspector.get("/inspect?type=ERASURE", officer)).text();
  assert.match(list, /Waiting for"[^]*<li>the customer&#39;s access request<\/li>/);
  await world.admin`delete from timers where actor_id = ${erasure.id}`; // as is the case after its due date
  assert.match(
    partOf(await pageOf(inspector, erasure.id), "next"),
    /No work is pending: the request waits for a decision\. See the available decisions/,
  );
});

Deno.test("a request is visible to officers of its own store only", async () => {
  await using inspector = await startInspector();
  const { world, staff } = inspector;
  const shop = workshopOf(inspector);
  const customer = await register(world);
  const { id } = await shop.open(customer, "ERASURE");
  const cases = [
    [staff(["STORE_MANAGER"]), 200],
    [staff(["PRIVACY_OFFICER"], crypto.randomUUID()), 404],
    [staff(["STORE_MANAGER"], crypto.randomUUID()), 404],
    [staff(["CUSTOMER_SUPPORT"]), 403],
    [staff(["CUSTOMER_MANAGER"]), 403],
    [shopper(customer), 403],
    [world.system, 403],
  ] as const;
  for (const [as, status] of cases) {
    for (const path of ["", "?at=1", "/live", "/receipt", "/receipt/page", "/export/access.json"]) {
      const response = await inspector.get(`${pathOf(id)}${path}`, as);
      const expected = status !== 200 || !/^\/[re]/.test(path) ? status : 404; // it has no documents yet
      assert.equal(response.status, expected, `${as.roles} ${path}`);
      await response.body?.cancel();
    }
    if (status === 200) continue;
    const action = { action: "cancel", version: "1", confirmed: "yes" };
    const response = await inspector.post(pathOf(id), as, action);
    assert.equal(response.status, status);
    await response.body?.cancel();
  }
  for (const other of [crypto.randomUUID(), "nonsense", `${id}?at=2`, "%00"]) {
    const response = await inspector.get(pathOf(other), inspector.officer);
    assert.equal(response.status, 404, other);
    await response.body?.cancel();
  }
  assert.equal((await shop.row({ kind: "gdpr_request", storeId: world.storeId, id })).version, 1);
});

Deno.test("unknown machines and states are shown, and no action is offered", async () => {
  await using inspector = await startInspector();
  const { world } = inspector;
  const shop = workshopOf(inspector);
  const { id } = await shop.open(await register(world), "ERASURE");
  await world.admin`update gdpr_requests set machine = 'gdpr_erasure@9' where request_id = ${id}`;
  const foreign = await pageOf(inspector, id);
  assert.match(partOf(foreign, "situation"), /does not know its machine gdpr_erasure@9; due in/);
  assert.match(partOf(foreign, "actions"), /No decision is possible/);
  assert.match(partOf(foreign, "chart"), /The chart shows the states and transitions in its journal/);
  const invalid: unknown[] = [
    {},
    [],
    7,
    { value: 7, context: null },
    { value: { PENDING: { grace: [] } }, context: { participants: "all" } },
    { phase: "somewhere else" },
  ];
  for (const machine of ["gdpr_erasure@9", "gdpr_erasure@1", "__proto__"]) {
    for (const snapshot of invalid) {
      await world.admin`
        update gdpr_requests set machine = ${machine}, snapshot = ${world.admin.json(snapshot as never)}
        where request_id = ${id}`;
      const page = await pageOf(inspector, id);
      assert.deepEqual(offeredOn(page), {}, `${machine} ${JSON.stringify(snapshot)}`);
    }
  }
  const snapshot = { value: { PENDING: "asleep" }, context: { participants: [] } };
  await world.admin`
    update gdpr_requests set machine = 'gdpr_erasure@1', snapshot = ${world.admin.json(snapshot)}
    where request_id = ${id}`;
  assert.match(
    partOf(await pageOf(inspector, id), "situation"),
    /^Pending, asleep; its machine .* does not know/,
  );
  await world.admin`delete from actor_events where actor_id = ${id}`;
  assert.match(partOf(await pageOf(inspector, id), "timeline"), /The journal has no events here/);
});

Deno.test("ten thousand events and twenty participants are shown in pages of bounded size", async () => {
  const participants = Array.from({ length: 20 }, (_, index) => `service-${index + 1}`);
  const requests = await requestSettings({ participants });
  await using inspector = await startInspector({ requests });
  const { world } = inspector;
  const shop = workshopOf(inspector);
  const request = await shop.open(await register(world), "ERASURE");
  await shop.work();
  await shop.tell(request, "participant.confirm", { service: "service-7", evidence: "nothing held" });
  // Inserts rows like the runtime's, because ten thousand transactions would take a minute.
  await world.admin`
    insert into actor_events
    select store_id, actor_kind, actor_id, sequence + step, 'ask', state_after, state_after,
      '00000000-0000-4000-8000-000000000000', 'SYSTEM', '{}', at + step * interval '1 hour'
    from actor_events, generate_series(1, 10000) step
    where actor_id = ${request.id} and sequence = 3`;
  await world.admin`update gdpr_requests set version = 10003 where request_id = ${request.id}`;
  const page = await pageOf(inspector, request.id);
  assert.ok(page.length < 500_000, `${page.length} characters`);
  assert.match(partOf(page, "situation"), /^Waiting for 19 of 20 services|^Waiting .* for 19 of 20 services/);
  assert.match(partOf(page, "timeline"), /Asked again, 10,000 times .*50 of these events.*Earlier events/);
  assert.match(page, /href="[^"]*\?upto=3#timeline">Older events/, "the next page begins before the run");
  assert.match(
    partOf(await pageOf(inspector, request.id, "?upto=3"), "timeline"),
    /Confirmed by service-7#3/,
  );
  assert.match(partOf(page, "participants"), /service-7 Confirmed/);
  assert.equal([...page.matchAll(/data-leaf=/g)].length, 20);
  const [, earlier = ""] = /href="[^"]*\?(upto=9953)#timeline"/.exec(page) ?? [];
  const second = await pageOf(inspector, request.id, `?${earlier}`);
  assert.match(second, /#9953</);
  assert.match(
    partOf(second, "timeline"),
    /Asked again, 10,000 times/,
    "also if the page has only some of them",
  );
  assert.match(partOf(await pageOf(inspector, request.id, "?upto=40"), "timeline"), /Opened/);
  const past = await pageOf(inspector, request.id, "?at=5000");
  assert.match(past, /aria-current="step"/);
  assert.match(past, /id="event-5000"/);
});

Deno.test("the page counts the calls to each participant, including those on other pages of the timeline", async () => {
  await using inspector = await startInspector({
    requests: await requestSettings({ participants: ["orders"] }),
  });
  const { world } = inspector;
  const shop = workshopOf(inspector);
  const request = await shop.open(await register(world), "ERASURE");
  await shop.work();
  // Inserts two rows like those of an earlier version, then rows like the runtime's.
  await world.admin`
    insert into actor_events
    select store_id, actor_kind, actor_id, 2 + step, type, state_after, state_after,
      '00000000-0000-4000-8000-000000000000', 'SYSTEM', '{}', at + step * interval '1 hour', null,
      case when step > 2 then 'orders' end,
      case when step > 2 then array['IN_PROGRESS.awaiting_confirmations.orders.asked'] end
    from actor_events, generate_series(1, 202) step,
      lateral (select case when step > 2 then 'participant.asked_again' else 'ask' end as type) as named
    where actor_id = ${request.id} and sequence = 2`;
  await world.admin`update gdpr_requests set version = 204 where request_id = ${request.id}`;
  const page = await pageOf(inspector, request.id);
  assert.match(partOf(page, "timeline"), /^Asked orders again, 200 times by the service itself/);
  assert.match(page, /asked again \(participant\.asked_again\), conditional: taken 200 ×/);
  assert.match(partOf(page, "chart"), /An earlier version recorded 2 events without transitions/);
  const old = partOf(await pageOf(inspector, request.id, "?at=4&upto=4"), "timeline");
  assert.match(old, /^Asked again#4 .* Asked again#3 .* Grace period ended#2 .* Opened#1/);
  const past = await pageOf(inspector, request.id, "?at=104");
  assert.match(past, /conditional: taken 100 ×/);
  assert.match(partOf(past, "timeline"), /Asked orders again#104/);
  assert.match(past, /after event #104 \(asked orders again\)/);
});

Deno.test("a live stream reports decisions, changes of participants and publications", async () => {
  await using inspector = await startInspector();
  const { world, officer } = inspector;
  const shop = workshopOf(inspector);
  const request = await shop.open(await register(world), "ERASURE");
  const shown = async () => shownOn(await pageOf(inspector, request.id));
  const first = await shown();
  await shop.tell(request, "hold", { ground: "LEGAL_CLAIM", reason: "a lawsuit" }, { by: officer }); // before the stream opens
  await using stream = readLive(await inspector.get(`${pathOf(request.id)}/live`, officer));
  const waitForDigest = async () =>
    await eventually(async () => {
      inspector.wake();
      assert.equal(stream.received().at(-1), await shown());
    });
  await waitForDigest();
  const held = await shown();
  assert.notEqual(held, first);
  await world.admin`update outbox set published_at = now() where key = (
    select customer_id::text from gdpr_requests where request_id = ${request.id})`;
  await waitForDigest();
  assert.notEqual(await shown(), held);
});

Deno.test("a reason is escaped", async () => {
  await using inspector = await startInspector();
  const { world, officer } = inspector;
  const shop = workshopOf(inspector);
  const request = await shop.open(
    await register(world, { email: `${customerRef(world).id}@example.com` }),
    "ACCESS",
  );
  const reason = `<script>alert("1")</script> & 'more'`;
  await shop.tell(request, "hold", { ground: "LEGAL_CLAIM", reason }, { by: officer });
  const page = await pageOf(inspector, request.id);
  assert.ok(!page.includes("<script>alert"));
  assert.match(textOf(page), /On hold since .*&lt;script&gt;/);
  assert.match(
    page,
    /: <bdi>&lt;script[^<]*<\/bdi>; due in/,
    "bdi isolates the text direction of the reason",
  );
});
