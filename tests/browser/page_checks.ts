/** Checks of every page: no request to another origin, no console error, no personal value in a URL or title. */
import assert from "node:assert/strict";
import type { BrowserContext } from "playwright-core";
import { PERSONAL_VALUES } from "./sample_customers.ts";

/** Chromium logs each error status, which tests may expect. */
const EXPECTED = /^Failed to load resource: the server responded with a status of (4\d\d|503)/;

export function checkPages(context: BrowserContext, origin: string) {
  const failures: string[] = [];
  const searchPersonalValues = (where: string, text: string) => {
    const decoded = decodeURIComponent(text).toLowerCase();
    for (const value of PERSONAL_VALUES) {
      if (decoded.includes(value.toLowerCase())) failures.push(`a personal value in the ${where} ${text}`);
    }
  };
  context.on("request", (request) => {
    const url = request.url();
    if (new URL(url).origin !== origin) failures.push(`a request to ${url}`);
    searchPersonalValues("URL", url);
  });
  context.on("console", (message) => {
    if (message.type() !== "error" && message.type() !== "warning") return;
    if (!EXPECTED.test(message.text())) failures.push(`in the console: ${message.text()}`);
  });
  context.on("weberror", (error) => void failures.push(`a script failed: ${error.error().message}`));
  context.on("response", async (response) => {
    if (!response.request().isNavigationRequest()) return;
    const text = await response.text().catch(() => ""); // a redirect, or a closed window
    searchPersonalValues("title", /<title>(.*?)<\/title>/s.exec(text)?.[1] ?? "");
  });
  return {
    /** @throws {assert.AssertionError} a check has failed */
    assertPassed: () => assert.deepEqual(failures, []),
  };
}
