/** Decisions on a request's page: offered, applied once, recorded with the person, or refused with a message. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { availableDecisions } from "../../actors/gdpr/requests/available_decisions.ts";
import type { ActorRef } from "../../actors/commands.ts";
import { findRequest } from "../../db/gdpr_requests.ts";
import { createRequestFixture } from "../gdpr/request_fixture.ts";
import { requestSettings } from "../actors/settings.ts";
import { register } from "../actors/world.ts";
import { offeredOn, pageOf, partOf, pathOf, textOf } from "./request_pages.ts";
import { startInspector, type TestInspector } from "./server.ts";

const HOUR = 60 * 60_000;

async function openErasure(inspector: TestInspector) {
  const shop = createRequestFixture(inspector.world);
  const request = await shop.open(await register(inspector.world), "ERASURE");
  return { shop, request, path: pathOf(request.id) };
}

const startWithGracePeriod = async (changes = {}) =>
  await startInspector({ requests: await requestSettings({ graceMs: HOUR, ...changes }) });

async function journalOf({ world }: TestInspector, { id }: ActorRef) {
  return await world.admin`
    select event_type, principal_id, coalesce(reason, note) as reason from actor_events where actor_id = ${id} order by sequence`;
}

Deno.test("every decision can be made on the page with a reason, and the journal names the person", async () => {
  await using inspector = await startWithGracePeriod();
  const { officer } = inspector;
  const { shop, request, path } = await openErasure(inspector);
  const decide = async (action: string, fields: Record<string, string> = {}) => {
    const page = await pageOf(inspector, request.id);
    assert.ok(action in offeredOn(page), `${action} is not offered`);
    const version = page.match(/name="version" value="(\d+)"/)?.[1] ?? "";
    const answer = await inspector.post(path, officer, { action, version, confirmed: "yes", ...fields });
    assert.deepEqual([answer.status, await answer.text()], [303, ""]);
    const to = answer.headers.get("location") ?? "";
    assert.equal(to, `${path}?done=${Number(version) + 1}`);
    return await (await inspector.get(to, officer)).text();
  };
  assert.match(
    textOf(await decide("hold", { ground: "AUTHORITY_ORDER", reason: " a  lawsuit\nof 2026 " })),
    /You put the request on hold\./,
  );
  await decide("extend", { reason: "many sources" });
  await decide("release", { note: "the lawsuit is over" });
  const row = await shop.row(request);
  assert.deepEqual([row.holdReason, row.holdGround, row.extensionReason], [
    "a lawsuit of 2026",
    "AUTHORITY_ORDER",
    "many sources",
  ]);
  await shop.work(new Date(Date.now() + 2 * HOUR));
  const offered = offeredOn(await pageOf(inspector, request.id));
  const participants = ["order-service", "payment-service", "communication-service"];
  assert.deepEqual(offered, { retry: participants, waive: participants });
  await decide("retry", { service: "payment-service", note: " " });
  await decide("retry", { service: "payment-service", note: "it was repaired" });
  for (const service of participants) await decide("waive", { service, reason: `${service} is closed` });
  const journal = await journalOf(inspector, request);
  const mine = journal.filter(({ principalId }) => principalId === officer.id).map((
    row,
  ) => [row.eventType, row.reason]);
  assert.deepEqual(mine, [
    ["hold", null], // the erasure has removed the reasons
    ["extend", null],
    ["release", null],
    ["retry", null],
    ["retry", "it was repaired"],
    ...participants.map((service) => ["waive", `${service} is closed`]),
  ]);
  const timeline = partOf(await pageOf(inspector, request.id), "timeline");
  for (const [, reason] of mine) assert.ok(timeline.includes(reason ?? ""), String(reason));
  const traces = await inspector.world.admin`
    select payload->>'traceId' as trace from outbox where payload->>'action' = 'GDPR_REQUEST_HELD'`;
  assert.match(traces[0]?.trace, /^[0-9a-f]{32}$/);

  const other = await openErasure(inspector);
  const refusal = {
    action: "refuse",
    version: "1",
    confirmed: "yes",
    ground: "NO_RIGHT",
    reason: "not the customer",
  };
  assert.equal((await inspector.post(other.path, officer, refusal)).status, 303);
  assert.match(
    partOf(await pageOf(inspector, other.request.id), "situation"),
    /refused on .*: not the customer$/,
  );
  const third = await openErasure(inspector);
  const cancellation = { action: "cancel", version: "1", confirmed: "yes", reason: "by letter" };
  assert.equal((await inspector.post(third.path, officer, cancellation)).status, 303);
  const ended = await pageOf(inspector, third.request.id);
  assert.deepEqual(offeredOn(ended), {});
  assert.match(partOf(ended, "actions"), /No decision is possible: the request is completed/);
  assert.match(partOf(ended, "timeline"), /Canceled.*by letter .*by you/);
});

Deno.test("each decision has a field for a note, and one for its reason if the customer may read it", async () => {
  await using inspector = await startWithGracePeriod();
  const { officer } = inspector;
  const { shop, request } = await openErasure(inspector);
  const fields: Record<string, string> = {};
  const collectFields = async () => {
    const page = await pageOf(inspector, request.id);
    for (const [form, action] of page.matchAll(/<details id="action-(\w+)".*?<\/details>/gs)) {
      const label = form.match(/<label for="reason-\w+">([^<]*)</)?.[1];
      assert.match(form, /<label for="note-\w+">Note for staff \(optional\)</);
      fields[action!] = `${label}${/<textarea[^>]* required/.test(form) ? ", required" : ""}`;
    }
  };
  await collectFields();
  await shop.tell(request, "hold", { ground: "LEGAL_CLAIM", reason: "a lawsuit" }, { by: officer });
  await collectFields();
  await shop.tell(request, "release", {}, { by: officer });
  await shop.work(new Date(Date.now() + 2 * HOUR));
  await collectFields();
  const [required, optional] = ["Reason for the customer, required", "Reason for the customer (optional)"];
  const none = "undefined";
  assert.deepEqual(fields, {
    hold: required,
    extend: required,
    refuse: required,
    waive: required,
    cancel: optional,
    release: none,
    retry: none,
  });
});

Deno.test("a page offers exactly what the machine accepts, after any sequence of commands", async () => {
  await using inspector = await startWithGracePeriod({ participants: ["orders"] });
  const { officer, world } = inspector;
  const fieldsOf: Record<string, Record<string, string>> = {
    hold: { reason: "x" },
    release: { note: "x" },
    extend: { reason: "x" },
    cancel: {},
    refuse: { reason: "x" },
    retry: { service: "orders" },
    waive: { service: "orders", reason: "x" },
    work: {},
    confirm: { service: "orders" },
  };
  const sequence = fc.array(fc.constantFrom(...Object.keys(fieldsOf)), { minLength: 1, maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(sequence, async (commands) => {
      const { shop, request } = await openErasure(inspector);
      for (const command of commands) {
        if (command === "work") await shop.work(new Date(Date.now() + 2 * HOUR));
        else if (command === "confirm") {
          await shop.tell(request, "participant.confirm", fieldsOf[command]).catch(() => {});
        } else await shop.tell(request, command, fieldsOf[command], { by: officer }).catch(() => {});
      }
      const row = await findRequest(world.admin, request.storeId, request.id);
      assert.ok(row);
      const expected: Record<string, string[]> = {};
      for (const { type, service } of availableDecisions(row, officer, new Date())) {
        expected[type] = [...expected[type] ?? [], ...(service === undefined ? [] : [service])];
      }
      assert.deepEqual(offeredOn(await pageOf(inspector, request.id)), expected);
    }),
    { numRuns: 20 },
  );
});

Deno.test("a decision on an outdated page is refused, and its text is kept", async () => {
  await using inspector = await startWithGracePeriod();
  const { officer, staff } = inspector;
  const { shop, request, path } = await openErasure(inspector);
  const colleague = staff(["PRIVACY_OFFICER"]);
  await shop.tell(request, "extend", { reason: "many sources" }, { by: colleague });
  const reason = `the court said "no" & more`;
  const stale = { action: "hold", version: "1", ground: "LEGAL_CLAIM", confirmed: "yes", reason };
  const answer = await inspector.post(path, officer, stale);
  assert.equal(answer.status, 412);
  const page = await answer.text();
  assert.match(
    textOf(page),
    new RegExp(
      `Conflict: someone else changed the request first.*Changes: extended by staff ${colleague.id}\\.`,
    ),
  );
  const form = page.match(/<details id="action-hold"[^>]*>.*?<\/details>/s)?.[0] ?? "";
  assert.match(form, /^<details[^>]* open/);
  assert.match(form, /the court said (&quot;|")no(&quot;|") &amp; more<\/textarea>/);
  assert.match(form, /name="version" value="2"/);
  assert.match(form, /data-keep/);
  assert.equal((await shop.row(request)).holdReason, null);
  const again = await inspector.post(path, officer, { ...stale, version: "2" });
  assert.equal(again.status, 303);
  const twice = await inspector.post(path, officer, { ...stale, version: "3" });
  assert.equal(twice.status, 409);
  const refused = await twice.text();
  assert.match(textOf(refused), /Cannot hold .*The reason that you wrote:\s*the court said/);
  assert.equal((await journalOf(inspector, request)).length, 3);
});

Deno.test("of two concurrent decisions one is refused as a conflict", async () => {
  await using inspector = await startWithGracePeriod();
  const { officer, staff } = inspector;
  const { request, path } = await openErasure(inspector);
  const answers = await Promise.all([
    inspector.post(path, officer, { action: "cancel", version: "1", confirmed: "yes" }),
    inspector.post(path, staff(["STORE_MANAGER"]), {
      action: "refuse",
      version: "1",
      confirmed: "yes",
      ground: "NO_RIGHT",
      reason: "no",
    }),
  ]);
  assert.deepEqual(answers.map(({ status }) => status).sort(), [303, 412]);
  await Promise.all(answers.map(({ body }) => body?.cancel()));
  assert.equal((await journalOf(inspector, request)).length, 2);
});

Deno.test("a form without a confirmation or a reason, or with an unknown action, changes nothing", async () => {
  await using inspector = await startWithGracePeriod();
  const { officer } = inspector;
  const { request, path } = await openErasure(inspector);
  const attempts = [
    [{ action: "hold", version: "1", reason: "a lawsuit", confirmed: "yes" }, 400, /ground/],
    [
      { action: "hold", version: "1", ground: "LEGAL_CLAIM", reason: "a lawsuit" },
      400,
      /check the box.*a lawsuit/,
    ],
    [{ action: "hold", version: "1", ground: "LEGAL_CLAIM", reason: " ", confirmed: "yes" }, 400, /reason/],
    [
      { action: "hold", version: "1", ground: "LEGAL_CLAIM", reason: "x".repeat(501), confirmed: "yes" },
      400,
      /at most 500/,
    ],
    [{ action: "cancel", version: "1", reason: "x".repeat(501), confirmed: "yes" }, 400, /at most 500/],
    [{ action: "waive", version: "1", reason: "x", confirmed: "yes" }, 400, /service/],
    [
      { action: "waive", version: "1", reason: "x", service: "unknown-service", confirmed: "yes" },
      409,
      /Cannot waive/,
    ],
    [{ action: "erase", version: "1", confirmed: "yes" }, 400, /does not belong to this page/],
    [{ action: "compiled", version: "1", confirmed: "yes" }, 400, /does not belong to this page/],
    [{ action: "cancel", confirmed: "yes" }, 400, /does not belong to this page/],
    [{}, 400, /does not belong to this page/],
  ] as const;
  for (const [fields, status, says] of attempts) {
    const answer = await inspector.post(path, officer, fields as Record<string, string>);
    assert.equal(answer.status, status, JSON.stringify(fields));
    assert.match(textOf(await answer.text()), says);
  }
  assert.equal((await journalOf(inspector, request)).length, 1);
});

Deno.test("a form needs the CSRF token of its own session", async () => {
  await using inspector = await startWithGracePeriod();
  const { request, path } = await openErasure(inspector);
  const signIn = async () => {
    const token = await inspector.token(inspector.staff(["PRIVACY_OFFICER"]));
    const response = await fetch(`${inspector.origin}/inspect/sign-in`, {
      method: "POST",
      body: new URLSearchParams({ token }),
      headers: { origin: inspector.origin },
      redirect: "manual",
    });
    await response.body?.cancel();
    const cookie = response.headers.get("set-cookie")?.split(";")[0] ?? "";
    const page = await (await inspector.get(path, undefined, { cookie })).text();
    const form = page.match(/<details id="action-cancel"[^>]*>.*?<\/details>/s)?.[0] ?? "";
    return { cookie, csrf: form.match(/name="csrf" value="([^"]+)"/)?.[1] ?? "" };
  };
  const [mine, other] = await Promise.all([signIn(), signIn()]);
  const cancel = async (fields: Record<string, string>) => {
    const response = await fetch(`${inspector.origin}${path}`, {
      method: "POST",
      body: new URLSearchParams({ action: "cancel", version: "1", confirmed: "yes", ...fields }),
      headers: { cookie: mine.cookie, origin: inspector.origin },
      redirect: "manual",
    });
    await response.body?.cancel();
    return response.status;
  };
  assert.equal(await cancel({}), 403);
  assert.equal(await cancel({ csrf: other.csrf }), 403);
  assert.equal((await journalOf(inspector, request)).length, 1);
  assert.equal(await cancel({ csrf: mine.csrf }), 303);
});

Deno.test("the confirmation is shown to the person who decided, and only for an event in the journal", async () => {
  await using inspector = await startWithGracePeriod();
  const { officer, staff } = inspector;
  const { shop, request } = await openErasure(inspector);
  await shop.tell(request, "hold", { ground: "LEGAL_CLAIM", reason: "a lawsuit" }, { by: officer });
  const noticeOn = async (done: string, as = officer) =>
    /<p class="notice"[^>]*>(.*?)<\/p>/.exec(await pageOf(inspector, request.id, `?done=${done}`, as))?.[1];
  assert.equal(await noticeOn("2"), "You put the request on hold.");
  for (const done of ["refuse", "hold", "1", "3", "-1", "x"]) {
    assert.equal(await noticeOn(done), undefined, done);
  }
  assert.equal(await noticeOn("2", staff(["STORE_MANAGER"])), undefined);
});
