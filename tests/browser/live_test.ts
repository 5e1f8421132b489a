/** A request's page while its request goes on, and while somebody goes through what it has been. */
import assert from "node:assert/strict";
import { browserTest } from "./browser.ts";
import { eventually } from "../eventually.ts";
import { events, situation, standing, untilSaid, untilStanding, watchForReload } from "./reading.ts";
import { openStore } from "./store.ts";

const AWAITING = "IN_PROGRESS.awaiting_confirmations";
const [ORDERS, PAYMENTS, MESSAGES] = ["order-service", "payment-service", "communication-service"] as const;

browserTest(
  "an erasure moves through its states before the reader's eyes, without a reload",
  async (open) => {
    await using store = await openStore();
    const request = await store.open(await store.join(), "ERASURE");
    await using visit = await open(store, { as: store.officer });
    const { page } = visit;
    await page.goto(`/inspect/requests/${request.id}`);
    const reloaded = await watchForReload(page);
    await untilSaid(page, /^The erasure is about to start; due in /);
    assert.deepEqual(await standing(page), ["PENDING.grace"]);
    assert.deepEqual(await events(page), ["Opened"]);

    await store.until(0);
    await untilSaid(page, /^Waiting for \S+, \S+ and \S+; asked once; due in /);
    await untilStanding(page, [ORDERS, PAYMENTS, MESSAGES].map((service) => `${AWAITING}.${service}.asked`));
    assert.deepEqual(await events(page), ["Grace period ended", "Opened"]);

    await store.confirm(request, "order-service", "payment-service");
    await untilSaid(page, /^Waiting for communication-service; asked once/);
    await page.getByText("4 orders, 1 return anonymised").waitFor();
    assert.equal((await events(page))[0], "Confirmed by payment-service");

    await store.confirm(request, "communication-service");
    await untilSaid(page, /^All services have answered; scanning for remaining data/);
    await untilStanding(page, ["IN_PROGRESS.verifying"]);

    await store.until(0);
    await untilSaid(page, /^Completed: fulfilled on /);
    await untilStanding(page, ["COMPLETED"]);
    await page.getByRole("link", { name: /receipt/i }).first().waitFor();
    assert.match(
      await page.locator("[data-part=actions]").innerText(),
      /No decision is possible: the request is completed/,
    );
    assert.equal(await reloaded(), false);
  },
);

browserTest("what happens before a page listens is shown all the same", async (open) => {
  await using store = await openStore();
  const request = await store.open(await store.join(), "ERASURE");
  await using visit = await open(store, { as: store.officer });
  const { page } = visit;
  await page.route(/\/live$/, async (route) => {
    await store.tell(request, "hold", { reason: "A court asks" });
    await route.continue();
  }, { times: 1 });
  await page.goto(`/inspect/requests/${request.id}`);
  await untilSaid(page, /^On hold since .*: A court asks/);
});

browserTest(
  "what somebody is in the middle of is left alone, and follows once they have left",
  async (open) => {
    await using store = await openStore();
    const request = await store.open(await store.join(), "ERASURE");
    await using visit = await open(store, { as: store.officer });
    const { page } = visit;
    await page.goto(`/inspect/requests/${request.id}`);
    const hold = page.locator("#action-hold");
    await hold.locator("summary").click();
    await store.world.admin`update outbox set published_at = now()`;
    store.wake();
    await page.getByText(/^Updated at/).waitFor(); // which is no matter of the form
    await store.tell(request, "hold", { reason: "A court asks" });
    await untilSaid(page, /^On hold since/);
    assert.equal(await hold.getByLabel("Reason").isVisible(), true);
    await page.getByText("Everything is up to date except the form that you are filling in").waitFor();
    await page.locator("h1").click();
    await eventually(async () => {
      store.wake();
      assert.equal(await hold.count(), 0);
    }, 30_000);
    await page.locator("#action-release").waitFor();
    await page.getByText(/^Updated at/).waitFor();
  },
);

browserTest("who reads and scrolls misses nothing, and keeps the place and the focus", async (open) => {
  await using store = await openStore();
  const request = await store.open(await store.join(), "ERASURE");
  for (let time = 0; time < 8; time++) {
    await store.tell(request, "hold", { reason: `The court asks for the ${time + 1}. time` });
    await store.tell(request, "release");
  }
  await using visit = await open(store, { as: store.officer });
  const { page } = visit;
  await page.goto(`/inspect/requests/${request.id}`);
  const timeline = page.locator("[data-part=timeline]");
  await timeline.click();
  await timeline.evaluate((box) => void (box.scrollTop = 300));
  await store.until(0);
  const gone = timeline.getByText("Grace period ended");
  await eventually(async () => assert.equal(await gone.count(), 1), 30_000);
  assert.ok(await timeline.evaluate((box) => box.scrollTop >= 300));

  await page.getByText("Chart as text").click();
  const focusable = [[ORDERS, timeline.locator("a").last()], [
    PAYMENTS,
    page.locator(".chart-scroll"),
  ]] as const;
  for (const [service, focused] of focusable) {
    await focused.focus();
    await store.confirm(request, service);
    await page.locator(`#participant-${service}`).getByText("Confirmed").waitFor();
    assert.equal((await events(page))[0], `Confirmed by ${service}`);
    assert.equal(await focused.evaluate((element) => element === document.activeElement), true, service);
  }
  assert.equal(await page.locator("figure details").getAttribute("open"), "");
  await page.getByText(/^Updated at/).waitFor();
});

browserTest("a page that cannot be renewed stays, says so and is renewed later", async (open) => {
  await using store = await openStore();
  const request = await store.open(await store.join(), "ERASURE");
  await using visit = await open(store, { as: store.officer });
  const { page } = visit;
  const path = `/inspect/requests/${request.id}`;
  await page.goto(path);
  const reloaded = await watchForReload(page);
  const troubles = [[503, "hold", { reason: "A court asks" }, /^On hold/], [
    429,
    "release",
    {},
    /^The erasure/,
  ]] as const;
  for (const [status, type, fields, says] of troubles) {
    await page.route(`**${path}`, (route) => route.fulfill({ status, body: "<p>Trouble</p>" }), { times: 1 });
    await store.tell(request, type, fields);
    await page.getByText(/^Update failed at .*: the page tries again$/).waitFor();
    await eventually(async () => {
      store.wake();
      assert.match(await situation(page), says);
    }, 30_000);
    await page.getByText(/^Updated at/).waitFor();
  }
  assert.equal(await reloaded(), false);
});

browserTest(
  "who is signed out meanwhile is led to the form, but not away from what they write",
  async (open) => {
    await using store = await openStore();
    const request = await store.open(await store.join(), "ERASURE");
    await using visit = await open(store, { as: store.officer });
    const { page } = visit;
    await page.goto(`/inspect/requests/${request.id}#chart`);
    await page.locator("summary", { hasText: "Put on hold" }).click();
    await page.locator("#reason-hold").fill("A court asks");
    await page.context().clearCookies();
    await store.tell(request, "extend", { reason: "The archive is slow" });
    await page.getByText("copy what you wrote, then reload").waitFor();
    assert.equal(await page.locator("#reason-hold").inputValue(), "A court asks");
    await page.locator("#reason-hold").fill("");
    await store.tell(request, "hold", { reason: "A court asks" });
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
  },
);

browserTest(
  "a page whose stream is refused says that it is not live, and asks for it again",
  async (open) => {
    await using store = await openStore();
    const request = await store.open(await store.join(), "ERASURE");
    await using visit = await open(store, { as: store.officer });
    const { page } = visit;
    await page.route(/\/live$/, (route) => route.fulfill({ status: 429, body: "Too much" }), { times: 2 });
    await page.goto(`/inspect/requests/${request.id}`);
    await page.getByText("Live updates are interrupted").waitFor();
    await store.tell(request, "hold", { reason: "A court asks" });
    await untilSaid(page, /^On hold since .*: A court asks/);
    await page.getByText(/^Updated at/).waitFor();
  },
);

browserTest("the overview counts and lists a request as soon as it is there", async (open) => {
  await using store = await openStore();
  await using visit = await open(store, { as: store.officer });
  const { page } = visit;
  await page.goto("/inspect");
  const reloaded = await watchForReload(page);
  await page.getByText("This store has no requests yet.").waitFor();
  const request = await store.open(await store.join(), "ERASURE");
  await page.locator(`a[href="/inspect/requests/${request.id}"]`).waitFor();
  await store.tell(request, "hold", { reason: "A court asks" });
  await eventually(
    async () => assert.match(await page.getByRole("link", { name: /On hold/ }).innerText(), /^1/),
    30_000,
  );
  assert.equal(await reloaded(), false);
});

browserTest(
  "a step through the past leaves the reader where they are, and shows the moment in the timeline",
  async (open) => {
    await using store = await openStore();
    const request = await store.open(await store.join(), "ERASURE");
    for (let time = 0; time < 15; time++) {
      await store.tell(request, "hold", { reason: `The court asks for the ${time + 1}. time` });
      await store.tell(request, "release");
    }
    await using visit = await open(store, { as: store.officer });
    const { page } = visit;
    for (const at of [3, 16, 30]) {
      await page.goto(`/inspect/requests/${request.id}?at=${at}#chart`);
      for (const step of [at, at - 1, at - 2]) {
        await page.waitForURL((url) => url.search === `?at=${step}` && url.hash === "#chart");
        const moment = page.locator(".moment.here");
        assert.equal(await moment.getAttribute("id"), `event-${step}`);
        const [box, mark] = [
          await page.locator("[data-part=timeline]").boundingBox(),
          await moment.boundingBox(),
        ];
        assert.ok(
          box && mark && mark.y >= box.y && mark.y + mark.height <= box.y + box.height + 1,
          `${step}`,
        );
        const heading = await page.locator("#chart").boundingBox();
        assert.ok(heading && heading.y >= 0 && heading.y < 200, `${step}: ${heading?.y}`);
        if (step > at - 2) await page.keyboard.press("ArrowLeft"); // after the last look it would race the next page
      }
    }
  },
);

browserTest("a reader goes back and on through a request's past with the arrow keys alone", async (open) => {
  await using store = await openStore();
  const request = await store.open(await store.join(), "ERASURE");
  await store.tell(request, "hold", { reason: "A court asks" });
  await store.tell(request, "release");
  await store.until(0);
  await store.confirm(request, "order-service");
  await using visit = await open(store, { as: store.officer });
  const { page } = visit;
  const path = `/inspect/requests/${request.id}`;
  await page.goto(path);

  const asked = (...services: string[]) => services.map((service) => `${AWAITING}.${service}.asked`);
  const past: [at: number, says: RegExp, states: string[]][] = [
    [4, /^Waiting for .*order-service/, asked("order-service", "payment-service", "communication-service")],
    [3, /^The erasure is about to start/, ["PENDING.grace"]],
    [2, /^On hold since .*: A court asks/, ["PENDING.held"]],
    [1, /^The erasure is about to start/, ["PENDING.grace"]],
  ];
  for (const [at, says, states] of past) {
    await page.keyboard.press("ArrowLeft");
    await page.waitForURL((url) => url.search === `?at=${at}`);
    await untilSaid(page, says);
    assert.deepEqual(await standing(page), states.sort());
    await page.getByText("This page shows the request at").waitFor();
    assert.equal(await page.getByRole("button", { name: "Put on hold" }).count(), 0);
  }
  await page.keyboard.press("ArrowLeft"); // before its first event there is nothing
  for (const at of ["?at=2", "?at=3", "?at=4", ""]) {
    await page.keyboard.press("ArrowRight");
    await page.waitForURL((url) => url.search === at);
  }
  assert.match(await situation(page), /^Waiting for (?!order).*communication-service/);
  assert.equal(await page.getByText("This page shows the request at").count(), 0);
});
