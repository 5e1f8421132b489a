/** What no page may do: ask another origin, complain in the console, or put a person into an address or a title. */
import assert from "node:assert/strict";
import type { BrowserContext } from "playwright-core";
import { PERSONAL } from "./people.ts";

/** Chromium writes into the console that a page was answered with a status, which is what it was asked for. */
const EXPECTED = /^Failed to load resource: the server responded with a status of (4\d\d|503)/;

export function watch(context: BrowserContext, origin: string) {
  const faults: string[] = [];
  const look = (where: string, text: string) => {
    const told = decodeURIComponent(text).toLowerCase();
    for (const value of PERSONAL) {
      if (told.includes(value.toLowerCase())) faults.push(`a personal value in the ${where} ${text}`);
    }
  };
  context.on("request", (request) => {
    const url = request.url();
    if (new URL(url).origin !== origin) faults.push(`a request to ${url}`);
    look("address", url);
  });
  context.on("console", (message) => {
    if (message.type() !== "error" && message.type() !== "warning") return;
    if (!EXPECTED.test(message.text())) faults.push(`in the console: ${message.text()}`);
  });
  context.on("weberror", (error) => void faults.push(`a script failed: ${error.error().message}`));
  context.on("response", async (response) => {
    if (!response.request().isNavigationRequest()) return;
    const text = await response.text().catch(() => ""); // a redirection, or the window is closed
    look("title", /<title>(.*?)<\/title>/s.exec(text)?.[1] ?? "");
  });
  return {
    /** @throws {assert.AssertionError} a page has done what it may not do */
    complain: () => assert.deepEqual(faults, []),
  };
}
