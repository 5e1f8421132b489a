/** Keyboard navigation. */
import type { Locator, Page } from "playwright-core";

/** More than the tab stops of any page. */
const MAX_STOPS = 120;

/** Presses Tab until the target has the focus. Fails if it never has. */
export async function tabTo(page: Page, target: Locator): Promise<void> {
  for (let stop = 0; stop < MAX_STOPS; stop++) {
    await page.keyboard.press("Tab");
    if (
      await target.evaluateAll((elements) => elements.some((element) => element.matches(":focus-visible")))
    ) return;
  }
  throw new Error(`Cannot reach ${target} with ${MAX_STOPS} tab stops`);
}
