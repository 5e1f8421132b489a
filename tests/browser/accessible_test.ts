/** WCAG 2.2 AA as far as axe-core sees it, on every page: wide and in phone width, light and dark. */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { shopper } from "../actors/world.ts";
import { overhang, violations } from "./axe.ts";
import { browserTest } from "./browser.ts";
import { livedMonth } from "./month.ts";
import { openStore } from "./store.ts";

const WIDE = { width: 1280, height: 900 };
const PHONE = { width: 375, height: 812 };

/** Colors do not depend on the width, nor most of the rest on the colors: three looks see what four would. */
async function assertAccessible(page: Page, name: string): Promise<void> {
  await page.setViewportSize(WIDE);
  await page.emulateMedia({ colorScheme: "light" });
  assert.deepEqual([await violations(page), await overhang(page)], [[], 0], `${name}, wide and light`);
  await page.emulateMedia({ colorScheme: "dark" });
  assert.deepEqual(await violations(page, ["color-contrast"]), [], `${name}, wide and dark`);
  await page.setViewportSize(PHONE);
  assert.deepEqual([await violations(page), await overhang(page)], [[], 0], `${name}, a phone in the dark`);
}

browserTest("requests are accessible in states of every kind, and in their past", async (open) => {
  await using month = await livedMonth();
  await using visit = await open(month, { as: month.officer });
  const { page } = visit;
  const { overdue, held, waiting, erasing, erased, exported, refused, rectified } = month.requests;
  const kinds = { overdue, held, waiting, erasing, erased, exported, refused, rectified };
  for (const [name, { id }] of Object.entries(kinds)) {
    await page.goto(`/inspect/requests/${id}`);
    await assertAccessible(page, name);
  }
  await page.goto(`/inspect/requests/${month.requests.erasing.id}?at=2`);
  await assertAccessible(page, "a moment of the past");
});

browserTest("the overview, its filters and the bulk retry are accessible", async (open) => {
  await using month = await livedMonth();
  await using visit = await open(month, { as: month.officer });
  const { page } = visit;
  const pages = {
    "the overview": "/inspect",
    "a filter": "/inspect?type=ERASURE&status=OPEN&sort=newest",
    "a filter that nothing matches": "/inspect?type=RECTIFICATION&due=overdue",
    "an address that cannot be read": "/inspect?type=nonsense&sort=sideways&what=this",
    "what a retry would do": "/inspect/retry",
  };
  for (const [name, path] of Object.entries(pages)) {
    await page.goto(path);
    await assertAccessible(page, name);
  }
  await page.getByRole("button", { name: /^Retry \d requests now$/ }).click();
  await page.getByRole("status").getByText("0 refused").waitFor();
  await assertAccessible(page, "what a retry has done");
});

browserTest("customers are accessible, with their personal values and without", async (open) => {
  await using month = await livedMonth();
  const { active, erased, erasing } = month.customers;
  await using manager = await open(month, { as: month.staff(["STORE_MANAGER"]) });
  await using officer = await open(month, { as: month.officer });
  for (const [name, { id }] of Object.entries({ active, erased, erasing })) {
    for (const [who, { page }] of Object.entries({ manager, officer })) {
      await page.goto(`/inspect/customers/${id}`);
      await assertAccessible(page, `${name} before the ${who}`);
    }
  }
});

browserTest("forms are accessible: opened, refused and done", async (open) => {
  await using store = await openStore();
  const request = await store.open(await store.join(), "ACCESS");
  await store.until(0);
  const second = await store.open(await store.join(), "ERASURE");
  await store.until(0);
  await using visit = await open(store, { as: store.officer });
  const { page } = visit;
  for (const { id } of [request, second]) {
    await page.goto(`/inspect/requests/${id}`);
    for (const summary of await page.locator("details.action > summary").all()) await summary.click();
    await assertAccessible(page, "every form open");
  }
  const third = await store.open(await store.join(), "ERASURE");
  await page.goto(`/inspect/requests/${third.id}`);
  await page.locator("summary", { hasText: "Put on hold" }).click();
  await page.locator("#reason-hold").fill("A court asks");
  await store.tell(third, "extend", { reason: "The archive is slow" });
  await page.getByLabel("Yes, put it on hold").check();
  await page.getByRole("button", { name: "Put on hold" }).click();
  await page.getByRole("alert").waitFor();
  await assertAccessible(page, "a refusal");
  await page.getByLabel("Yes, put it on hold").check();
  await page.getByRole("button", { name: "Put on hold" }).click();
  await page.getByRole("status").getByText("You put the request on hold.").waitFor();
  await assertAccessible(page, "a thing done");
});

browserTest("words without an end stay inside the page", async (open) => {
  const endless = "Rechtsschutzversicherungsgesellschaften".repeat(12).slice(0, 480);
  const participants = ["order-service", `${"a-service-of-many-names-".repeat(3)}service`];
  await using store = await openStore({ participants });
  const held = await store.open(await store.join(), "ERASURE");
  await store.tell(held, "hold", { reason: endless });
  const refused = await store.open(await store.join(), "ERASURE");
  await store.tell(refused, "extend", { reason: endless });
  await store.tell(refused, "refuse", { reason: endless });
  const waived = await store.open(await store.join(), "ERASURE");
  await store.until(0);
  await store.tell(
    waived,
    "participant.confirm",
    { service: participants[0], evidence: endless },
    store.world.system,
  );
  await using visit = await open(store, { as: store.officer });
  const { page } = visit;
  for (const [name, { id }] of Object.entries({ held, refused, waived })) {
    await page.goto(`/inspect/requests/${id}`);
    for (const summary of await page.locator("details.action > summary").all()) await summary.click();
    for (const size of [WIDE, PHONE]) {
      await page.setViewportSize(size);
      assert.equal(await overhang(page), 0, `${name}, ${size.width} pixels wide`);
    }
  }
});

browserTest("twenty participants, and a machine that nobody knows, are accessible", async (open) => {
  const participants = Array.from({ length: 20 }, (_, at) => `participant-${at + 1}`);
  await using store = await openStore({ participants });
  const request = await store.open(await store.join(), "ERASURE");
  await store.until(0);
  await store.confirm(request, ...participants.slice(0, 7));
  const unknown = await store.open(await store.join(), "ACCESS");
  await store.world.admin`
    update gdpr_requests set machine = 'gdpr_access@99' where request_id = ${unknown.id}`;
  await using visit = await open(store, { as: store.officer });
  const { page } = visit;
  for (const { id } of [request, unknown]) {
    await page.goto(`/inspect/requests/${id}`);
    await assertAccessible(page, id === request.id ? "twenty participants" : "an unknown machine");
  }
});

browserTest("signing in and errors are accessible", async (open) => {
  await using store = await openStore();
  const customer = await store.join();
  await using visit = await open(store);
  const { page } = visit;
  await page.goto("/inspect");
  await assertAccessible(page, "signing in");
  await page.getByLabel("Token").fill("none");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("alert").waitFor();
  await assertAccessible(page, "a token that is none");

  await using inside = await open(store, { as: store.officer });
  const errors = ["/nothing", `/requests/${crypto.randomUUID()}`, `/customers/x`, "?store=x"];
  for (const path of ["", ...errors]) {
    await inside.page.goto(`/inspect${path}`);
    await assertAccessible(inside.page, path === "" ? "a store without requests" : path);
  }
  await using refused = await open(store, { as: shopper(customer) });
  await refused.page.goto("/inspect");
  await assertAccessible(refused.page, "a customer's token");
});
