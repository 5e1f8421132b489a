/** Going through a page as somebody does who has no mouse. */
import type { Locator, Page } from "playwright-core";

/** However many stops a page has before what is looked for. */
const MOST = 120;

/** Presses Tab until something has the focus; fails where it never gets it. */
export async function tabTo(page: Page, target: Locator): Promise<void> {
  for (let stop = 0; stop < MOST; stop++) {
    await page.keyboard.press("Tab");
    if (await target.evaluateAll((found) => found.some((one) => one.matches(":focus-visible")))) return;
  }
  throw new Error(`Cannot reach ${target} by ${MOST} times Tab`);
}
