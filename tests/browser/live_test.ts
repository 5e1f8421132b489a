/** Live updates of a request's page, and time travel through its history. */
import assert from "node:assert/strict";
import { browserTest } from "./browser.ts";
import { eventually } from "../eventually.ts";
import {
  currentStates,
  eventTitles,
  statusLine,
  untilStates,
  untilStatus,
  watchForReload,
} from "./request_page.ts";
import { openInspectedStore } from "./store.ts";

const AWAITING = "IN_PROGRESS.awaiting_confirmations";
const [ORDERS, PAYMENTS, MESSAGES] = ["order-service", "payment-service", "communication-service"] as const;

browserTest(
  "the page follows an erasure through its states without a reload",
  async (open) => {
    await using store = await openInspectedStore();
    const request = await store.open(await store.register(), "ERASURE");
    await using visit = await open(store, { as: store.officer });
    const { page } = visit;
    await page.goto(`/inspect/requests/${request.id}`);
    const reloaded = await watchForReload(page);
    await untilStatus(page, /^The erasure is about to start; due in /);
    assert.deepEqual(await currentStates(page), ["PENDING.grace"]);
    assert.deepEqual(await eventTitles(page), ["Opened"]);

    await store.workUntil(0);
    await untilStatus(page, /^Waiting for \S+, \S+ and \S+; asked once, again automatically on .*; due in /);
    await untilStates(page, [ORDERS, PAYMENTS, MESSAGES].map((service) => `${AWAITING}.${service}.asked`));
    assert.deepEqual(await eventTitles(page), ["Grace period ended", "Opened"]);

    await store.confirm(request, "order-service", "payment-service");
    await untilStatus(page, /^Waiting for communication-service; asked once/);
    await page.getByText("4 orders, 1 return anonymized").waitFor();
    assert.equal((await eventTitles(page))[0], "Confirmed by payment-service");

    await store.confirm(request, "communication-service");
    await untilStatus(page, /^All services have answered; scanning for remaining data/);
    await untilStates(page, ["IN_PROGRESS.verifying"]);

    await store.workUntil(0);
    await untilStatus(page, /^Completed: fulfilled on /);
    await untilStates(page, ["COMPLETED"]);
    await page.getByRole("link", { name: /receipt/i }).first().waitFor();
    assert.match(
      await page.locator("[data-part=actions]").innerText(),
      /No decision is possible: the request is completed/,
    );
    assert.equal(await reloaded(), false);
  },
);

browserTest("a change before the stream opens is shown", async (open) => {
  await using store = await openInspectedStore();
  const request = await store.open(await store.register(), "ERASURE");
  await using visit = await open(store, { as: store.officer });
  const { page } = visit;
  await page.route(/\/live$/, async (route) => {
    await store.send(request, "hold", { ground: "LEGAL_CLAIM", reason: "A court asks" });
    await route.continue();
  }, { times: 1 });
  await page.goto(`/inspect/requests/${request.id}`);
  await untilStatus(page, /^On hold since .*: A court asks/);
});

browserTest(
  "a form in use is not updated until the person leaves it",
  async (open) => {
    await using store = await openInspectedStore();
    const request = await store.open(await store.register(), "ERASURE");
    await using visit = await open(store, { as: store.officer });
    const { page } = visit;
    await page.goto(`/inspect/requests/${request.id}`);
    const hold = page.locator("#action-hold");
    await hold.locator("summary").click();
    await store.world.admin`update outbox set published_at = now()`;
    store.wake();
    await page.getByText(/^Updated at/).waitFor(); // a change that does not concern the form
    await store.send(request, "hold", { ground: "LEGAL_CLAIM", reason: "A court asks" });
    await untilStatus(page, /^On hold since/);
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

browserTest("updates keep the scroll position and the focus", async (open) => {
  await using store = await openInspectedStore();
  const request = await store.open(await store.register(), "ERASURE");
  for (let time = 0; time < 8; time++) {
    await store.send(request, "hold", { ground: "LEGAL_CLAIM", reason: `Court request ${time + 1}` });
    await store.send(request, "release");
  }
  await using visit = await open(store, { as: store.officer });
  const { page } = visit;
  await page.goto(`/inspect/requests/${request.id}`);
  const timeline = page.locator("[data-part=timeline]");
  await timeline.click();
  await timeline.evaluate((box) => void (box.scrollTop = 300));
  await store.workUntil(0);
  const newEvent = timeline.getByText("Grace period ended");
  await eventually(async () => assert.equal(await newEvent.count(), 1), 30_000);
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
    assert.equal((await eventTitles(page))[0], `Confirmed by ${service}`);
    assert.equal(await focused.evaluate((element) => element === document.activeElement), true, service);
  }
  assert.equal(await page.locator("figure details").getAttribute("open"), "");
  await page.getByText(/^Updated at/).waitFor();
});

browserTest("a failed update keeps the page, shows a message and is retried", async (open) => {
  await using store = await openInspectedStore();
  const request = await store.open(await store.register(), "ERASURE");
  await using visit = await open(store, { as: store.officer });
  const { page } = visit;
  const path = `/inspect/requests/${request.id}`;
  await page.goto(path);
  const reloaded = await watchForReload(page);
  const failures = [[503, "hold", { ground: "LEGAL_CLAIM", reason: "A court asks" }, /^On hold/], [
    429,
    "release",
    {},
    /^The erasure/,
  ]] as const;
  for (const [status, type, fields, says] of failures) {
    await page.route(`**${path}`, (route) => route.fulfill({ status, body: "<p>Failure</p>" }), { times: 1 });
    await store.send(request, type, fields);
    await page.getByText(/^Update failed at .*: the page tries again$/).waitFor();
    await eventually(async () => {
      store.wake();
      assert.match(await statusLine(page), says);
    }, 30_000);
    await page.getByText(/^Updated at/).waitFor();
  }
  assert.equal(await reloaded(), false);
});

browserTest(
  "after the end of the session the page leads to the sign-in form, unless a form is in use",
  async (open) => {
    await using store = await openInspectedStore();
    const request = await store.open(await store.register(), "ERASURE");
    await using visit = await open(store, { as: store.officer });
    const { page } = visit;
    await page.goto(`/inspect/requests/${request.id}#chart`);
    await page.locator("summary", { hasText: "Put on hold" }).click();
    await page.locator("#reason-hold").fill("A court asks");
    await page.context().clearCookies();
    await store.send(request, "extend", { reason: "The archive is slow" });
    await page.getByText("copy what you wrote, then reload").waitFor();
    assert.equal(await page.locator("#reason-hold").inputValue(), "A court asks");
    await page.locator("#reason-hold").fill("");
    await store.send(request, "hold", { ground: "LEGAL_CLAIM", reason: "A court asks" });
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
  },
);

browserTest(
  "a page whose stream is refused shows that it is not live, and retries",
  async (open) => {
    await using store = await openInspectedStore();
    const request = await store.open(await store.register(), "ERASURE");
    await using visit = await open(store, { as: store.officer });
    const { page } = visit;
    await page.route(/\/live$/, (route) => route.fulfill({ status: 429, body: "Too much" }), { times: 2 });
    await page.goto(`/inspect/requests/${request.id}`);
    await page.getByText("Live updates are interrupted").waitFor();
    await store.send(request, "hold", { ground: "LEGAL_CLAIM", reason: "A court asks" });
    await untilStatus(page, /^On hold since .*: A court asks/);
    await page.getByText(/^Updated at/).waitFor();
  },
);

browserTest("the overview lists and counts a new request without a reload", async (open) => {
  await using store = await openInspectedStore();
  await using visit = await open(store, { as: store.officer });
  const { page } = visit;
  await page.goto("/inspect");
  const reloaded = await watchForReload(page);
  await page.getByText("This store has no requests yet.").waitFor();
  const request = await store.open(await store.register(), "ERASURE");
  await page.locator(`a[href="/inspect/requests/${request.id}"]`).waitFor();
  await store.send(request, "hold", { ground: "LEGAL_CLAIM", reason: "A court asks" });
  await eventually(
    async () => assert.match(await page.getByRole("link", { name: /On hold/ }).innerText(), /^1/),
    30_000,
  );
  assert.equal(await reloaded(), false);
});

browserTest(
  "a step through the history keeps the scroll position and shows the event in the timeline",
  async (open) => {
    await using store = await openInspectedStore();
    const request = await store.open(await store.register(), "ERASURE");
    for (let time = 0; time < 15; time++) {
      await store.send(request, "hold", { ground: "LEGAL_CLAIM", reason: `Court request ${time + 1}` });
      await store.send(request, "release");
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
        if (step > at - 2) await page.keyboard.press("ArrowLeft"); // after the last check it would race with the next page
      }
    }
  },
);

browserTest("the arrow keys step back and forth through a request's history", async (open) => {
  await using store = await openInspectedStore();
  const request = await store.open(await store.register(), "ERASURE");
  await store.send(request, "hold", { ground: "LEGAL_CLAIM", reason: "A court asks" });
  await store.send(request, "release");
  await store.workUntil(0);
  await store.confirm(request, "order-service");
  await using visit = await open(store, { as: store.officer });
  const { page } = visit;
  const path = `/inspect/requests/${request.id}`;
  await page.goto(path);

  const askedStates = (...participants: string[]) => participants.map((name) => `${AWAITING}.${name}.asked`);
  const past: [at: number, says: RegExp, states: string[]][] = [
    [
      4,
      /^Waiting for .*order-service/,
      askedStates("order-service", "payment-service", "communication-service"),
    ],
    [3, /^The erasure is about to start/, ["PENDING.grace"]],
    [2, /^On hold since/, ["PENDING.held"]],
    [1, /^The erasure is about to start/, ["PENDING.grace"]],
  ];
  for (const [at, says, states] of past) {
    await page.keyboard.press("ArrowLeft");
    await page.waitForURL((url) => url.search === `?at=${at}`);
    await untilStatus(page, says);
    assert.deepEqual(await currentStates(page), states.sort());
    await page.getByText("This page shows the request at").waitFor();
    assert.equal(await page.getByRole("button", { name: "Put on hold" }).count(), 0);
  }
  await page.keyboard.press("ArrowLeft"); // no effect at the first event
  for (const at of ["?at=2", "?at=3", "?at=4", ""]) {
    await page.keyboard.press("ArrowRight");
    await page.waitForURL((url) => url.search === at);
  }
  assert.match(await statusLine(page), /^Waiting for (?!order).*communication-service/);
  assert.equal(await page.getByText("This page shows the request at").count(), 0);
});
