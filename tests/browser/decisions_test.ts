/** Decisions and retries of an officer. */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { browserTest } from "./browser.ts";
import { currentStates, eventTitles, untilStatus, watchForReload } from "./request_page.ts";
import { openInspectedStore, type Store } from "./store.ts";

const action = (page: Page, title: string) =>
  page.locator("details.action", { has: page.locator("summary", { hasText: title }) });

/** Opens the form of a decision and fills in its reason. */
async function fillReason(page: Page, title: string, reason: string) {
  const form = action(page, title);
  await form.locator("summary").click();
  const ground = form.getByLabel("Legal ground");
  if (await ground.count() > 0) await ground.selectOption({ index: 1 });
  await form.getByLabel("Reason").fill(reason);
  return form;
}

/** Confirms and submits the form of a decision. */
async function submit(page: Page, title: string) {
  const form = action(page, title);
  await form.getByRole("checkbox").check();
  await form.getByRole("button", { name: title }).click();
}

async function principals({ world }: Store, requestId: string, type: string): Promise<string[]> {
  const rows = await world.admin`
    select principal_id from actor_events where actor_id = ${requestId} and event_type = ${type}`;
  return rows.map(({ principalId }) => principalId);
}

browserTest(
  "a decision needs a reason and a confirmation, and the journal names the officer",
  async (open) => {
    await using store = await openInspectedStore();
    const request = await store.open(await store.register(), "ERASURE");
    await using visit = await open(store, { as: store.officer });
    const { page } = visit;
    await page.goto(`/inspect/requests/${request.id}`);
    const form = await fillReason(page, "Put on hold", "");
    await form.getByRole("button", { name: "Put on hold" }).click(); // the browser refuses an incomplete form
    await form.getByLabel("Reason").fill("A court asks");
    await form.getByRole("button", { name: "Put on hold" }).click();
    assert.deepEqual(await currentStates(page), ["PENDING.grace"]);
    assert.deepEqual(await principals(store, request.id, "hold"), []);
    await submit(page, "Put on hold");
    await page.getByRole("status").getByText("You put the request on hold.").waitFor();
    await page.waitForURL(`/inspect/requests/${request.id}`); // so a reload does not repeat the message
    await untilStatus(page, /^On hold since .*: A court asks; due in/);
    assert.deepEqual(await currentStates(page), ["PENDING.held"]);
    const [newest] = await page.locator("[data-part=timeline] .moment").allInnerTexts();
    assert.match(newest ?? "", /^Put on hold[^]*A court asks[^]*by you/i);
    assert.deepEqual(await principals(store, request.id, "hold"), [store.officer.id]);
    assert.equal(await action(page, "Put on hold").count(), 0);
    assert.equal(await action(page, "Release").count(), 1);
  },
);

browserTest(
  "a decision on an outdated page is refused, and its text is kept",
  async (open) => {
    await using store = await openInspectedStore();
    const request = await store.open(await store.register(), "ERASURE");
    const colleague = store.staff(["PRIVACY_OFFICER"]);
    const path = `/inspect/requests/${request.id}`;
    await using mine = await open(store, { as: store.officer });
    await using theirs = await open(store, { as: colleague });
    await Promise.all([mine.page.goto(path), theirs.page.goto(path)]);
    const reloaded = await watchForReload(mine.page);
    await fillReason(mine.page, "Put on hold", "The bank answers by Friday");

    await fillReason(theirs.page, "Extend", "The archive is slow");
    await submit(theirs.page, "Extend");
    await theirs.page.getByText("You extended the due date.").waitFor();

    // The page updates itself, but not the form that is in use.
    await mine.page.getByText("to three months from receipt: The archive is slow").waitFor();
    assert.equal(await reloaded(), false);
    const reason = action(mine.page, "Put on hold").getByLabel("Reason");
    assert.equal(await reason.inputValue(), "The bank answers by Friday");

    await submit(mine.page, "Put on hold");
    await mine.page.getByRole("alert").getByText("Conflict: someone else changed the request first.")
      .waitFor();
    assert.match(
      await mine.page.getByRole("alert").innerText(),
      new RegExp(`extended by staff ${colleague.id}`, "i"),
    );
    assert.deepEqual(await principals(store, request.id, "hold"), []);
    assert.equal(await reason.inputValue(), "The bank answers by Friday");
    assert.equal(await reason.isVisible(), true);
    await submit(mine.page, "Put on hold");
    await untilStatus(mine.page, /^On hold since .*: The bank answers by Friday/);
    assert.deepEqual(await principals(store, request.id, "hold"), [store.officer.id]);
  },
);

browserTest("the text of a decision that is no longer possible is shown again", async (open) => {
  await using store = await openInspectedStore();
  const request = await store.open(await store.register(), "ERASURE");
  await using visit = await open(store, { as: store.officer });
  const { page } = visit;
  await page.goto(`/inspect/requests/${request.id}`);
  const form = await fillReason(page, "Refuse", "Another person asked");
  await form.getByLabel("Legal ground").selectOption({ index: 1 });
  await store.send(request, "cancel", {}, store.staff(["STORE_MANAGER"]));
  await untilStatus(page, /^Completed: canceled/);
  await submit(page, "Refuse");
  await page.getByRole("alert").getByText("Conflict: someone else changed the request first.").waitFor();
  await page.getByText("Another person asked").waitFor();
  assert.deepEqual(await principals(store, request.id, "refuse"), []);
});

browserTest(
  "all stuck requests are retried at once, after a preview",
  async (open) => {
    await using store = await openInspectedStore({ answer: (_, call) => call.fail("UNAVAILABLE", "away") });
    const requests = [];
    for (let count = 0; count < 3; count++) requests.push(await store.open(await store.register(), "ACCESS"));
    await store.workUntil(0);
    await using visit = await open(store, { as: store.officer });
    const { page } = visit;
    await page.goto("/inspect?type=ACCESS");
    await page.getByRole("link", { name: "Retry stuck requests" }).click();
    await page.getByText("with type access").waitFor();
    assert.equal(await page.locator("table.requests tbody tr").count(), 3);
    await page.getByRole("button", { name: "Retry 3 requests now" }).click();
    await page.getByRole("status").getByText("3 requests retried, 0 refused.").waitFor();
    for (const { id } of requests) {
      assert.deepEqual(await principals(store, id, "retry"), Array(3).fill(store.officer.id));
    }
    await page.getByRole("link", { name: requests[0]!.id }).click();
    await untilStatus(page, /^\S+-service has not answered since .* it is being asked now/);
    assert.match((await eventTitles(page)).join(), /Retried \S+-service/);
  },
);
