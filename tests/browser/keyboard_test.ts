/** Use of the inspector with the keyboard only. */
import assert from "node:assert/strict";
import { browserTest } from "./browser.ts";
import { tabTo } from "./keyboard.ts";
import { currentStates, untilStatus } from "./request_page.ts";
import { openInspectedStore } from "./store.ts";

browserTest(
  "an officer signs in, filters, opens a request and decides with the keyboard only",
  async (open) => {
    await using store = await openInspectedStore();
    const erasure = await store.open(await store.register(), "ERASURE");
    await store.open(await store.register(), "ACCESS");
    await using visit = await open(store);
    const { page } = visit;
    const { keyboard } = page;

    await page.goto("/inspect");
    await tabTo(page, page.getByLabel("Token"));
    await keyboard.insertText(await store.token(store.officer));
    await tabTo(page, page.getByRole("button", { name: "Sign in" }));
    await keyboard.press("Enter");

    await page.waitForURL("/inspect");
    await tabTo(page, page.locator("#filters > summary"));
    await keyboard.press("Enter");
    await tabTo(page, page.locator("#filters").getByLabel("Erasure", { exact: true }));
    await keyboard.press("Space");
    await tabTo(page, page.getByRole("button", { name: "Show" }));
    await keyboard.press("Enter");
    await page.waitForURL((url) => url.searchParams.get("type") === "ERASURE");
    assert.equal(await page.locator("table.requests tbody tr").count(), 1);

    await tabTo(page, page.locator(`a[href="/inspect/requests/${erasure.id}"]`));
    await keyboard.press("Enter");
    await page.waitForURL(`/inspect/requests/${erasure.id}`);
    await tabTo(page, page.locator("summary", { hasText: "Put on hold" }));
    await keyboard.press("Enter");
    await tabTo(page, page.locator("#ground-hold"));
    await keyboard.press("ArrowDown");
    await tabTo(page, page.locator("#reason-hold"));
    await keyboard.insertText("A court asks");
    await tabTo(page, page.getByLabel("Yes, put it on hold"));
    await keyboard.press("Space");
    await tabTo(page, page.getByRole("button", { name: "Put on hold" }));
    await keyboard.press("Enter");
    await untilStatus(page, /^On hold since .*: A court asks/);
    assert.deepEqual(await currentStates(page), ["PENDING.held"]);

    await tabTo(page, page.getByRole("button", { name: "Sign out" }));
    await keyboard.press("Enter");
    await page.waitForURL("/inspect/signed-out");
  },
);

browserTest("the first tab stop skips the header of the page", async (open) => {
  await using store = await openInspectedStore();
  await using visit = await open(store, { as: store.officer });
  const { page } = visit;
  await page.goto("/inspect");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate("document.activeElement.id"), "main");
  await tabTo(page, page.locator("main a").first());

  const request = await store.open(await store.register(), "ACCESS");
  for (const viewport of [{ width: 1440, height: 900 }, { width: 390, height: 844 }]) {
    await page.setViewportSize(viewport);
    await page.goto("/inspect");
    const row = page.locator(`#request-${request.id}`);
    const box = await row.boundingBox();
    assert.ok(box && box.y + 24 < viewport.height, `the first row is on the first screen: ${box?.y}`);
    const small = await page.locator("a, button, summary, input:not([type=hidden]), select").evaluateAll((
      elements,
    ) =>
      elements.filter((element) => element.checkVisibility()).map((element) => {
        const { width, height } = element.getBoundingClientRect();
        return { target: element.outerHTML.slice(0, 80), width, height };
      }).filter(({ width, height }) => width < 24 || height < 24)
    );
    assert.deepEqual(small, [], `${viewport.width} pixels wide`);
    for (const key of ["Tab", "Tab", "Enter", "Tab", "Tab", "Tab", "Tab"]) await page.keyboard.press(key);
    assert.equal(await page.evaluate("document.activeElement.title"), request.id);
  }
  const cell = await page.locator(`#request-${request.id} td[data-label=Type]`).boundingBox();
  await page.mouse.click(cell!.x + cell!.width - 4, cell!.y + 4);
  await page.waitForURL(`/inspect/requests/${request.id}`);
});
