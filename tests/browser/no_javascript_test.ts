/** The inspector without JavaScript: everything works except live updates. */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { browserTest } from "./browser.ts";
import { statusLine } from "./request_page.ts";
import { openInspectedStore } from "./store.ts";

const NO_JAVASCRIPT = { javaScriptEnabled: false };

browserTest(
  "without JavaScript an officer signs in, filters, sorts, decides, views the history and signs out",
  async (open) => {
    await using store = await openInspectedStore();
    const customer = await store.register();
    const request = await store.open(customer, "ERASURE");
    await store.open(await store.register(), "ACCESS");
    await using visit = await open(store, NO_JAVASCRIPT);
    const { page } = visit;

    await page.goto("/inspect");
    await page.getByLabel("Token").fill(await store.token(store.staff(["STORE_MANAGER"])));
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.waitForURL("/inspect");
    await page.locator("#filters > summary").click();
    await page.locator("#filters").getByLabel("Erasure", { exact: true }).check();
    await page.getByRole("button", { name: "Show" }).click();
    await page.getByRole("link", { name: /^Opened/ }).click();
    await page.waitForURL("/inspect?type=ERASURE&sort=newest");
    assert.equal(await page.locator("table.requests tbody tr").count(), 1);

    await page.locator(`a[href="/inspect/requests/${request.id}"]`).click();
    assert.match(await statusLine(page), /^The erasure is about to start/);
    await page.locator("summary", { hasText: "Put on hold" }).click();
    await page.locator("#ground-hold").selectOption("AUTHORITY_ORDER");
    await page.locator("#reason-hold").fill("A court asks");
    await page.getByLabel("Yes, put it on hold").check();
    await page.getByRole("button", { name: "Put on hold" }).click();
    assert.match(await statusLine(page), /^On hold since .* UTC: A court asks/);
    await page.locator("summary", { hasText: "Release" }).click();
    await page.getByLabel("Yes, release it").check();
    await page.getByRole("button", { name: "Release" }).click();
    await page.getByText("You released the request.", { exact: true }).waitFor();

    await page.getByRole("link", { name: "← Previous" }).click();
    assert.match(await statusLine(page), /^On hold since/);
    await page.getByRole("link", { name: "← Previous" }).click();
    await page.getByRole("link", { name: "Next →" }).click();
    assert.match(await statusLine(page), /^On hold since/);
    await page.getByRole("link", { name: "Back to now" }).click();
    assert.equal(await page.locator(".chart-scroll svg").count(), 1);
    await assertPrintsWhole(page);
    await page.getByText("Chart as text").click();

    await page.locator(`a[href="/inspect/customers/${customer.id}"]`).first().click();
    await page.getByRole("heading", { name: /^Customer …/ }).waitFor();
    assert.match(await page.locator("[data-part=person]").innerText(), /Wilhelmina/);
    await page.getByRole("link", { name: "Store settings" }).click();
    await page.getByLabel("Controller: name").fill("Bergladen AG");
    await page.getByLabel("Controller: address").fill("Bahnhofstrasse 1");
    await page.getByLabel("Français").check();
    await page.getByRole("button", { name: "Save the settings" }).click();
    await page.getByRole("status").getByText("The settings were saved.").waitFor();
    assert.equal(await page.getByLabel("Controller: name").inputValue(), "Bergladen AG");
    await page.getByRole("link", { name: "Record of processing", exact: true }).click();
    await page.getByText("Bergladen AG, Bahnhofstrasse 1").waitFor();
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.waitForURL("/inspect/signed-out");
  },
);

/** A printed request has no controls, and nothing that is folded or scrolls. */
async function assertPrintsWhole(page: Page): Promise<void> {
  await page.waitForLoadState("load"); // the styles for printing are the last to be loaded
  await page.emulateMedia({ media: "print" });
  for (const control of [".bar", "[data-part=actions]", ".chart-zoom", "[data-part=steps]"]) {
    assert.equal(await page.locator(control).first().isVisible(), false, control);
  }
  const clipped = await page.locator(".tall, .scroll, .chart-scroll").evaluateAll((elements) =>
    elements.filter((element) => element.scrollHeight > element.clientHeight + 1).length
  );
  assert.equal(clipped, 0);
  await page.emulateMedia({ media: null });
}

browserTest("without JavaScript a bulk retry has a preview and a report", async (open) => {
  await using store = await openInspectedStore({ answer: (_, call) => call.fail("UNAVAILABLE", "away") });
  await store.open(await store.register(), "PORTABILITY");
  await store.workUntil(0);
  await using visit = await open(store, { ...NO_JAVASCRIPT, as: store.officer });
  const { page } = visit;
  await page.goto("/inspect");
  await page.getByRole("link", { name: "Retry stuck requests" }).click();
  await page.getByRole("button", { name: "Retry 1 request now" }).click();
  await page.getByText("1 request retried, 0 refused.").waitFor();
});

browserTest(
  "without JavaScript the documents and the receipt of a request can be downloaded",
  async (open) => {
    await using store = await openInspectedStore();
    const customer = await store.register();
    const access = await store.open(customer, "ACCESS");
    await store.workUntil(0);
    await using visit = await open(store, { ...NO_JAVASCRIPT, as: store.staff(["STORE_MANAGER"]) });
    const { page } = visit;
    await page.goto(`/inspect/requests/${access.id}`);
    const download = async (name: string | RegExp) => {
      const [event] = await Promise.all([
        page.waitForEvent("download"),
        page.getByRole("link", { name }).first().click(),
      ]);
      return await new Response(ReadableStream.from(await event.createReadStream())).text();
    };
    assert.match(await download(/access\.json/), /wilhelmina\.achterberg@shop\.example/);

    const erasure = await store.open(customer, "ERASURE");
    await store.workUntil(0);
    await store.confirm(erasure, "order-service", "payment-service", "communication-service");
    await store.workUntil(0);
    await page.goto(`/inspect/requests/${erasure.id}`);
    assert.match(await download(/signed file/), new RegExp(erasure.id));
    await page.getByRole("link", { name: "Show the receipt of the erasure" }).click();
    await page.getByRole("heading", { name: "Receipt of an erasure" }).waitFor();
    assert.match(await download("signed.json"), new RegExp(erasure.id));
  },
);
