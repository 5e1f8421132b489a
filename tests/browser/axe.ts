/** Accessibility checks of a page by axe-core: wide and narrow, light and dark. */
import assert from "node:assert/strict";
import axe from "axe-core";
import type { Page } from "playwright-core";

const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/** Violations in the current colors and width. @param only rules to check; all by default */
export async function violations(page: Page, only?: string[]): Promise<string[]> {
  await page.evaluate(`typeof axe === "undefined" && (() => { ${axe.source} })()`);
  const runOnly = only ? { type: "rule", values: only } : { type: "tag", values: RULES };
  // Limits other results to one element a rule, which is faster.
  const options = JSON.stringify({ runOnly, resultTypes: ["violations"] });
  return await page.evaluate(`axe.run(document, ${options}).then(
    ({ violations }) => violations.flatMap(({ id, nodes }) =>
      nodes.map(({ target, failureSummary }) => id + " at " + target.join(" ") + ": " + failureSummary)))`);
}

/** Number of pixels by which the page is wider than its window. */
export async function horizontalOverflow(page: Page): Promise<number> {
  return await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth");
}

export const WIDE = { width: 1280, height: 900 };
export const PHONE = { width: 375, height: 812 };

/** The rules that depend on colors and on the width. */
const OF_APPEARANCE = ["color-contrast", "target-size"];

/** For the short suite: every rule once, and in the other color and width those that depend on them. */
export async function assertAccessibleBriefly(page: Page, name: string): Promise<void> {
  await page.setViewportSize(WIDE);
  await page.emulateMedia({ colorScheme: "light" });
  const wide = [await violations(page), await horizontalOverflow(page)];
  await page.setViewportSize(PHONE);
  await page.emulateMedia({ colorScheme: "dark" });
  const narrow = [await violations(page, OF_APPEARANCE), await horizontalOverflow(page)];
  assert.deepEqual({ wide, narrow }, { wide: [[], 0], narrow: [[], 0] }, name);
}

/** Three of the four combinations are enough, because colors do not depend on the width. */
export async function assertAccessible(page: Page, name: string): Promise<void> {
  await page.setViewportSize(WIDE);
  await page.emulateMedia({ colorScheme: "light" });
  assert.deepEqual(
    [await violations(page), await horizontalOverflow(page)],
    [[], 0],
    `${name}, wide and light`,
  );
  await page.emulateMedia({ colorScheme: "dark" });
  assert.deepEqual(await violations(page, ["color-contrast"]), [], `${name}, wide and dark`);
  await page.setViewportSize(PHONE);
  assert.deepEqual(
    [await violations(page), await horizontalOverflow(page)],
    [[], 0],
    `${name}, narrow and dark`,
  );
}

/** Opens all forms of decisions on the page. */
export async function openForms(page: Page): Promise<void> {
  for (const summary of await page.locator("details.action > summary").all()) await summary.click();
}
