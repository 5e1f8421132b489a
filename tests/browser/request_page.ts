/** Reads a request's page in the browser. */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { eventually } from "../eventually.ts";

const TIMEOUT_MS = 30_000;

/** Text of the status line. */
export async function statusLine(page: Page): Promise<string> {
  return (await page.locator(".situation").innerText()).trim();
}

/** Waits until the status line matches. */
export async function untilStatus(page: Page, pattern: RegExp): Promise<void> {
  await eventually(async () => assert.match(await statusLine(page), pattern), TIMEOUT_MS);
}

/** Innermost states that the chart shows as current, without the machine's name, such as `PENDING.grace`. */
export async function currentStates(page: Page): Promise<string[]> {
  const chart = page.locator(".chart-scroll");
  const read = (selector: string, attribute: string) =>
    chart.locator(selector).evaluateAll(
      (elements, name) => elements.map((element) => element.getAttribute(name) ?? ""),
      attribute,
    );
  const [boxes, regions, leaves] = await Promise.all([
    read('[data-state][data-status="current"]', "data-state"),
    read("[data-region]", "data-region"),
    read('[data-region][data-status="open"]', "data-leaf"),
  ]);
  const ids = [...boxes.filter((id) => !regions.some((region) => id.startsWith(`${region}.`))), ...leaves];
  return ids.map((id) => id.slice(id.indexOf(".") + 1)).sort();
}

/** Waits until the chart shows exactly these states as current. */
export async function untilStates(page: Page, states: string[]): Promise<void> {
  await eventually(async () => assert.deepEqual(await currentStates(page), states.toSorted()), TIMEOUT_MS);
}

/** Titles of the events in the timeline, newest first. */
export function eventTitles(page: Page): Promise<string[]> {
  return page.locator("[data-part=timeline] .moment-head strong").allInnerTexts();
}

/** Marks the page. The returned function returns whether the page has been reloaded since. */
export async function watchForReload(page: Page): Promise<() => Promise<boolean>> {
  await page.evaluate("globalThis.mark = true");
  return async () => await page.evaluate("globalThis.mark") !== true;
}
