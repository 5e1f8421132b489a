/** Reads request pages from their HTML. */
import assert from "node:assert/strict";
import type { Principal } from "../../domain/principal.ts";
import type { TestInspector } from "./server.ts";

export const pathOf = (requestId: string) => `/inspect/requests/${requestId}`;

/** HTML of a page. Fails unless its status is 200. */
export async function pageOf(
  inspector: TestInspector,
  requestId: string,
  query = "",
  as: Principal = inspector.officer,
): Promise<string> {
  const response = await inspector.get(`${pathOf(requestId)}${query}`, as);
  const text = await response.text();
  assert.equal(response.status, 200, text);
  return text;
}

/** Text of the element with this data-part. */
export function partOf(page: string, part: string): string {
  const start = page.indexOf(`data-part="${part}"`);
  assert.ok(start >= 0, part);
  const after = page.slice(page.indexOf(">", start) + 1);
  const end = after.search(/data-part="|<\/main>/);
  return textOf(after.slice(0, end));
}

export function textOf(html: string): string {
  const inline = /<\/?(?:time|code|span|strong|bdi|a|q)\b[^>]*>/g;
  return html.replaceAll(inline, "").replaceAll(/<[^>]*(>|$)/g, " ").replaceAll("&#39;", "'").replaceAll(
    /\s+/g,
    " ",
  ).trim();
}

/** Actions that the page offers, each with the participants to choose from. */
export function offeredOn(page: string): Record<string, string[]> {
  const forms = page.matchAll(/<details id="action-(\w+)"(.*?)<\/details>/gs);
  return Object.fromEntries(
    [...forms].map(([, type = "", form = ""]) => [
      type,
      [...(/name="service".*?<\/select>/s.exec(form)?.[0] ?? "").matchAll(/<option value="([^"]+)"/g)].map((
        [, service = ""],
      ) => service),
    ]),
  );
}

/** IDs of the innermost states that the chart shows as current, those of merged regions included. */
export function currentIn(page: string): string[] {
  const regions = [...page.matchAll(/data-region="([^"]+)" data-status="(\w+)" data-leaf="([^"]+)"/g)];
  const isInRegion = (id: string) => regions.some(([, region]) => id.startsWith(`${region}.`));
  const boxes = [...page.matchAll(/data-state="([^"]+)" data-status="current"/g)].map(([, id = ""]) => id);
  const leaves = regions.flatMap(([, , status, leaf = ""]) => status === "open" ? [leaf] : []);
  return [...boxes.filter((id) => !isInRegion(id)), ...leaves];
}
