/** Going through a request's past: every event shows how it was then, and nothing can be done about it. */
import assert from "node:assert/strict";
import { machineOf } from "../../actors/gdpr/requests/snapshot.ts";
import { DAY } from "../gdpr/clocked.ts";
import { createWorkshop } from "../gdpr/workshop.ts";
import { requestSettings } from "../actors/settings.ts";
import { register } from "../actors/world.ts";
import { currentIn, offeredOn, pageOf, partOf, pathOf } from "./request_pages.ts";
import { startInspector } from "./server.ts";

Deno.test("each step shows the state, the line and the place in the timeline as they were", async () => {
  const clock = { now: new Date("2026-03-10T09:00:00Z") };
  const requests = await requestSettings({ graceMs: 2 * DAY, participants: ["orders", "payments"] });
  await using inspector = await startInspector({ requests, clock: () => clock.now });
  const { world, officer } = inspector;
  const shop = createWorkshop(world);
  const request = await shop.open(await register(world), "ERASURE");
  const later = (days: number) => clock.now = new Date(clock.now.getTime() + days * DAY);
  later(1);
  await shop.tell(request, "hold", { reason: "a lawsuit" }, { by: officer });
  later(3);
  await shop.tell(request, "extend", { reason: "many sources" }, { by: officer });
  await shop.tell(request, "release", {}, { by: officer });
  await shop.work(clock.now);
  later(4);
  await shop.tell(request, "participant.confirm", { service: "orders" });
  await shop.tell(request, "waive", { service: "payments", reason: "closed" }, { by: officer });
  await shop.tell(request, "verified", { residue: 2 });
  await shop.tell(request, "retry", {}, { by: officer });
  await shop.tell(request, "verified", { residue: 0 });

  const lines = [
    /^Grace period until 2026-03-12 09:00 UTC; can still be cancelled; due in 31 days$/,
    /^On hold since 2026-03-11 09:00 UTC: a lawsuit; due in 30 days$/,
    /^On hold since 2026-03-11 09:00 UTC: a lawsuit; due in 88 days$/,
    /^The erasure is about to start; due in 88 days$/,
    /^Waiting for orders and payments; due in 88 days$/,
    /^Waiting 4 days for payments; due in 84 days$/,
    /^All services have answered; scanning for remaining data; due in 84 days$/,
    /^The scan found remaining data; manual check required; due in 84 days$/,
    /^All services have answered; scanning/,
    /^Completed: fulfilled on 2026-03-18 09:00 UTC$/,
  ];
  const journal = await world.admin`
    select sequence, state_after from actor_events where actor_id = ${request.id} order by sequence`;
  assert.equal(journal.length, lines.length);
  const { root } = machineOf("gdpr_erasure@1", ["orders", "payments"]);
  for (const { sequence, stateAfter } of journal) {
    const page = await pageOf(inspector, request.id, `?at=${sequence}`);
    assert.match(partOf(page, "situation"), lines[sequence - 1]!);
    assert.deepEqual(currentIn(page).sort(), leavesOf(root.id, stateAfter), `event ${sequence}`);
    assert.match(page, new RegExp(`<li[^>]*id="event-${sequence}"[^>]*aria-current="step"`));
    assert.match(page, /This page shows the request at/);
    const facts = partOf(page, "facts");
    assert.match(facts, new RegExp(`gdpr_erasure@1, ${sequence} events? by then`));
    assert.equal(/\(due in/.test(facts), sequence < journal.length, "nothing is due any more at the end");
    assert.match(page, new RegExp(`href="${pathOf(request.id)}">Back to now`));
    assert.deepEqual(offeredOn(page), {});
    for (const part of ["actions", "participants", "next", "documents", "messages"]) {
      assert.ok(!page.includes(`data-part="${part}"`), part);
    }
    assert.doesNotMatch(page, /data-live/);
    const [previous, next] = ["prev", "next"].map((rel) =>
      page.match(new RegExp(`<a href="([^"]+)" rel="${rel}"`))?.[1]
    );
    const path = pathOf(request.id);
    assert.equal(previous, sequence === 1 ? undefined : `${path}?at=${sequence - 1}#chart`);
    assert.equal(next, sequence + 1 < journal.length ? `${path}?at=${sequence + 1}#chart` : `${path}#chart`);
  }
  const now = await pageOf(inspector, request.id);
  assert.match(now, new RegExp(`href="${pathOf(request.id)}\\?at=${journal.length - 1}#chart" rel="prev"`));
  assert.doesNotMatch(now, /rel="next"|This page shows the request/);
});

Deno.test("each of several holds is told with its own reason", async () => {
  await using inspector = await startInspector({ requests: await requestSettings({ graceMs: DAY }) });
  const shop = createWorkshop(inspector.world);
  const request = await shop.open(await register(inspector.world), "ERASURE");
  await shop.tell(request, "hold", { reason: "the first" }, { by: inspector.officer });
  await shop.tell(request, "release", {}, { by: inspector.officer });
  await shop.tell(request, "hold", { reason: "the second" }, { by: inspector.officer });
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

Deno.test("a moment that the request has not had is no page, and no crash", async () => {
  await using inspector = await startInspector();
  const shop = createWorkshop(inspector.world);
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

/** The innermost states of a journal's text, by their ids; those that the machine gives an id of their own. */
function leavesOf(root: string, text: string): string[] {
  const leaves = (value: unknown, path: string[]): string[] => {
    if (typeof value === "string") return [[...path, value].join(".")];
    return Object.entries(value as object).flatMap(([key, inside]) => leaves(inside, [...path, key]));
  };
  const value = text.startsWith("{") ? JSON.parse(text) : text;
  return leaves(value, [root]).map((id) => id === `${root}.COMPLETED` ? "COMPLETED" : id)
    .sort();
}
