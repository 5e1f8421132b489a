/** Time travel on a request's page: each event shows the request at that time, without actions. */
import assert from "node:assert/strict";
import { machineOf } from "../../actors/gdpr/requests/snapshot.ts";
import { DAY } from "../gdpr/manual_clock.ts";
import { createRequestFixture } from "../gdpr/request_fixture.ts";
import { requestSettings } from "../actors/settings.ts";
import { register } from "../actors/world.ts";
import { currentIn, offeredOn, pageOf, partOf, pathOf } from "./request_pages.ts";
import { startInspector } from "./server.ts";

/** Sequence of the only event that does not change the state. */
const EXTENSION = 3;
/** Texts of the participants after some of the events. */
const PARTICIPANTS: Readonly<Record<number, string>> = {
  1: "Participants No service had been asked yet.",
  6: "Participants Services that had been asked, and their answers until then Service State Answer Settled " +
    "orders Confirmed – 2026-03-18 09:00 UTC payments Asked – –",
};
/** Possible next events after some of the events. */
const NEXT: Readonly<Record<number, RegExp>> = {
  2: /Released → Grace period \(by a decision of staff\)/,
  6: /When all are done → Scanning for remaining data \(by itself\).*Confirmed → Confirmed, for payments/,
  10: /Nothing: the request was completed\./,
};

Deno.test("each step shows the state, the status line and the position in the timeline at that time", async () => {
  const clock = { now: new Date("2026-03-10T09:00:00Z") };
  const requests = await requestSettings({ graceMs: 2 * DAY, participants: ["orders", "payments"] });
  await using inspector = await startInspector({ requests, clock: () => clock.now });
  const { world, officer } = inspector;
  const shop = createRequestFixture(world);
  const request = await shop.open(await register(world), "ERASURE");
  const advance = (days: number) => clock.now = new Date(clock.now.getTime() + days * DAY);
  advance(1);
  await shop.tell(request, "hold", { ground: "LEGAL_CLAIM", reason: "a lawsuit" }, { by: officer });
  advance(3);
  await shop.tell(request, "extend", { reason: "many sources" }, { by: officer });
  await shop.tell(request, "release", {}, { by: officer });
  await shop.work(clock.now);
  advance(4);
  await shop.tell(request, "participant.confirm", { service: "orders" });
  await shop.tell(request, "waive", { service: "payments", reason: "closed" }, { by: officer });
  await shop.tell(request, "verified", { residue: 2 });
  await shop.tell(request, "retry", {}, { by: officer });
  await shop.tell(request, "verified", { residue: 0 });

  const lines = [
    /^Grace period until 2026-03-12 09:00 UTC; can still be canceled; due in 31 days$/,
    /^On hold since 2026-03-11 09:00 UTC; due in 30 days$/,
    /^On hold since 2026-03-11 09:00 UTC; due in 88 days$/,
    /^The erasure is about to start; due in 88 days$/,
    /^Waiting for orders and payments; due in 88 days$/,
    /^Waiting 4 days for payments; due in 84 days$/,
    /^All services have answered; scanning for remaining data; due in 84 days$/,
    /^The scan found remaining data; manual check required; due in 84 days$/,
    /^All services have answered; scanning/,
    /^Completed: fulfilled with waivers on 2026-03-18 09:00 UTC$/,
  ];
  const journal = await world.admin`
    select sequence, state_after from actor_events where actor_id = ${request.id} order by sequence`;
  assert.equal(journal.length, lines.length);
  const { root } = machineOf("gdpr_erasure@1", ["orders", "payments"]);
  const changes = journal.map(({ sequence }) => sequence).filter((sequence) => sequence !== EXTENSION);
  for (const { sequence, stateAfter } of journal) {
    const page = await pageOf(inspector, request.id, `?at=${sequence}`);
    assert.match(partOf(page, "situation"), lines[sequence - 1]!);
    assert.deepEqual(currentIn(page).sort(), leavesOf(root.id, stateAfter), `event ${sequence}`);
    assert.match(page, new RegExp(`<li[^>]*id="event-${sequence}"[^>]*aria-current="step"`));
    assert.match(page, /This page shows the request at/);
    const facts = partOf(page, "facts");
    assert.match(facts, new RegExp(`gdpr_erasure@1, ${sequence} events? by then`));
    assert.equal(/\(due in/.test(facts), sequence < journal.length, "a completed request has no due date");
    assert.match(page, new RegExp(`href="${pathOf(request.id)}">Back to now`));
    assert.deepEqual(offeredOn(page), {});
    for (const part of ["actions", "documents", "messages"]) {
      assert.ok(!page.includes(`data-part="${part}"`), part);
    }
    assert.equal(partOf(page, "participants"), PARTICIPANTS[sequence] ?? partOf(page, "participants"));
    assert.match(partOf(page, "next"), NEXT[sequence] ?? /./);
    assert.doesNotMatch(page, /data-live/);
    const [previous, next] = ["prev", "next"].map((rel) =>
      page.match(new RegExp(`<a href="([^"]+)" rel="${rel}"`))?.[1]
    );
    const path = pathOf(request.id);
    const before = changes.filter((change) => change < sequence).at(-1);
    const after = changes.find((change) => change > sequence);
    assert.equal(previous, before && `${path}?at=${before}#chart`);
    assert.equal(next, after && after < journal.length ? `${path}?at=${after}#chart` : `${path}#chart`);
  }
  for (const [index, sequence] of changes.entries()) {
    const moved = await inspector.get(`${pathOf(request.id)}?change=${index + 1}&chart=whole`, officer);
    const at = sequence === journal.length ? "" : `at=${sequence}&`;
    assert.deepEqual(
      [moved.status, moved.headers.get("location")],
      [303, `${pathOf(request.id)}?${at}chart=whole#chart`],
    );
    await moved.body?.cancel();
  }
  const beyond = await inspector.get(`${pathOf(request.id)}?change=${changes.length + 1}`, officer);
  assert.equal(beyond.status, 404);
  await beyond.body?.cancel();
  const now = await pageOf(inspector, request.id);
  assert.match(now, new RegExp(`href="${pathOf(request.id)}\\?at=${journal.length - 1}#chart" rel="prev"`));
  assert.doesNotMatch(now, /rel="next"|This page shows the request/);
});

Deno.test("each of several holds is shown with its own reason", async () => {
  await using inspector = await startInspector({ requests: await requestSettings({ graceMs: DAY }) });
  const shop = createRequestFixture(inspector.world);
  const request = await shop.open(await register(inspector.world), "ERASURE");
  await shop.tell(request, "hold", { ground: "LEGAL_CLAIM", reason: "the first" }, { by: inspector.officer });
  await shop.tell(request, "release", {}, { by: inspector.officer });
  await shop.tell(request, "hold", { ground: "LEGAL_CLAIM", reason: "the second" }, {
    by: inspector.officer,
  });
  assert.match(
    partOf(await pageOf(inspector, request.id, "?at=2"), "situation"),
    /^On hold since [^:]*:\d\d UTC: the first; due/,
  );
  const last = await pageOf(inspector, request.id, "?at=4");
  assert.match(partOf(last, "situation"), /: the second; due/);
  for (const reason of ["the first", "the second"]) {
    assert.equal(partOf(last, "timeline").split(reason).length, 2, reason);
  }
});

Deno.test("an event that the request does not have is refused", async () => {
  await using inspector = await startInspector();
  const shop = createRequestFixture(inspector.world);
  const request = await shop.open(await register(inspector.world), "ACCESS");
  for (
    const [at, status] of [["2", 404], ["0", 400], ["-1", 400], ["x", 400], ["9999999999", 400], ["1.5", 400]]
  ) {
    const response = await inspector.get(`${pathOf(request.id)}?at=${at}`, inspector.officer);
    assert.equal(response.status, status, `${at}`);
    const text = await response.text();
    if (at === "0") assert.match(text, /at must be more than 0/);
  }
});

/** IDs of the innermost states in a journal's text. COMPLETED has an ID of its own. */
function leavesOf(root: string, text: string): string[] {
  const leaves = (value: unknown, path: string[]): string[] => {
    if (typeof value === "string") return [[...path, value].join(".")];
    return Object.entries(value as object).flatMap(([key, inside]) => leaves(inside, [...path, key]));
  };
  const value = text.startsWith("{") ? JSON.parse(text) : text;
  return leaves(value, [root]).map((id) => id === `${root}.COMPLETED` ? "COMPLETED" : id)
    .sort();
}
