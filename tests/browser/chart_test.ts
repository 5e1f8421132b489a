/** Size of the statechart in the browser. */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { eventually } from "../eventually.ts";
import { browserTest } from "./browser.ts";
import { openInspectedStore } from "./store.ts";

browserTest("the chart fits its box as the viewer chooses, also in the past and on a phone", async (open) => {
  await using store = await openInspectedStore({ answer: (_, call) => call.fail("UNAVAILABLE", "away") });
  const request = await store.open(await store.register(), "ACCESS");
  await store.workUntil(0);
  await using visit = await open(store, { as: store.officer, viewport: { width: 1440, height: 1000 } });
  const { page } = visit;
  await page.goto(`/inspect/requests/${request.id}`);
  const fitted = await hiddenPart(page);
  assert.equal(fitted.width, 0, "nothing is cut at the side");

  await page.getByLabel("Whole").check();
  assert.deepEqual(await hiddenPart(page), { width: 0, height: 0 });
  await page.getByRole("link", { name: "← Previous" }).click();
  await page.locator(".moment-banner").waitFor();
  await eventually(async () => assert.ok(await page.getByLabel("Whole").isChecked(), "the size stays"));
  assert.deepEqual(await hiddenPart(page), { width: 0, height: 0 });
  await page.getByLabel("150 %").check();
  assert.ok((await hiddenPart(page)).width > 0, "a larger chart scrolls");

  await page.setViewportSize({ width: 390, height: 844 });
  assert.ok(await page.locator(".chart-course").isVisible());
  assert.equal(await page.locator(".chart-scroll").isVisible(), false);
  assert.equal(
    await page.evaluate("document.documentElement.scrollWidth"),
    390,
    "the page does not scroll sideways",
  );
});

/** Pixels of the chart that its box does not show. */
function hiddenPart(page: Page): Promise<{ width: number; height: number }> {
  return page.locator(".chart-scroll").evaluate((box) => ({
    width: box.scrollWidth - box.clientWidth,
    height: box.scrollHeight - box.clientHeight,
  }));
}
