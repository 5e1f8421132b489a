/** What axe-core finds wrong with a page, in the colours and at the width that it has. */
import axe from "axe-core";
import type { Page } from "playwright-core";

const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/** @param only these rules in place of all of them */
export async function violations(page: Page, only?: string[]): Promise<string[]> {
  await page.evaluate(`typeof axe === "undefined" && (() => { ${axe.source} })()`);
  const runOnly = only ? { type: "rule", values: only } : { type: "tag", values: RULES };
  // For other results axe-core then looks up one element a rule in place of all of them.
  const options = JSON.stringify({ runOnly, resultTypes: ["violations"] });
  return await page.evaluate(`axe.run(document, ${options}).then(
    ({ violations }) => violations.flatMap(({ id, nodes }) =>
      nodes.map(({ target, failureSummary }) => id + " at " + target.join(" ") + ": " + failureSummary)))`);
}

/** By how many pixels the page itself is wider than its window. */
export async function overhang(page: Page): Promise<number> {
  return await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth");
}
