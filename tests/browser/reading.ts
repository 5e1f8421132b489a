/** What a person reads on a request's page, now or as soon as it is there. */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { eventually } from "../eventually.ts";

const PATIENCE_MS = 30_000;

/** The line that says what is going on. */
export async function situation(page: Page): Promise<string> {
  return (await page.locator(".situation").innerText()).trim();
}

export async function untilSaid(page: Page, words: RegExp): Promise<void> {
  await eventually(async () => assert.match(await situation(page), words), PATIENCE_MS);
}

/** The states that the chart shows as the present ones, without the machine's name: `PENDING.grace`. */
export async function standing(page: Page): Promise<string[]> {
  const ids = await page.locator('.chart-scroll [data-status="current"]').evaluateAll((marks) =>
    marks.map((mark) => mark.getAttribute("data-state") ?? "")
  );
  return ids.map((id) => id.slice(id.indexOf(".") + 1)).sort();
}

export async function untilStanding(page: Page, states: string[]): Promise<void> {
  await eventually(async () => assert.deepEqual(await standing(page), states.toSorted()), PATIENCE_MS);
}

/** What the timeline calls its events, the newest first. */
export function events(page: Page): Promise<string[]> {
  return page.locator("[data-part=timeline] .moment-head strong").allInnerTexts();
}

/** Leaves a mark in the page that a reload would take away; the answer says whether it is still there. */
export async function watchForReload(page: Page): Promise<() => Promise<boolean>> {
  await page.evaluate("globalThis.mark = true");
  return async () => await page.evaluate("globalThis.mark") !== true;
}
