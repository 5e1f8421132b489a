/** Accessibility checks of a page in its current colors and width, by axe-core. */
import axe from "axe-core";
import type { Page } from "playwright-core";

const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/** @param only rules to check; all by default */
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
