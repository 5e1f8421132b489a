/** What axe-core finds wrong with a page, in the colours and at the width that it has. */
import axe from "axe-core";
import type { Page } from "playwright-core";

const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

export async function violations(page: Page): Promise<string[]> {
  await page.evaluate(`typeof axe === "undefined" && (() => { ${axe.source} })()`);
  const options = { runOnly: { type: "tag", values: RULES }, resultTypes: ["violations"] };
  return await page.evaluate(
    `axe.run(document, ${JSON.stringify(options)}).then(
    ({ violations }) => violations.flatMap(({ id, nodes }) =>
      nodes.map(({ target, failureSummary }) => id + " at " + target.join(" ") + ": " + failureSummary)))`,
  );
}

/** By how many pixels the page itself is wider than its window. */
export async function overhang(page: Page): Promise<number> {
  return await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth");
}
