/** Accessibility of every page in every variant (WCAG 2.2 AA, by axe-core): wide and narrow, light and dark. */
import assert from "node:assert/strict";
import { shopper } from "../actors/world.ts";
import { assertAccessible, openForms } from "./axe.ts";
import { browserTest } from "./browser.ts";
import { openSampleStore } from "./sample_store.ts";
import { openInspectedStore } from "./store.ts";

browserTest("requests are accessible in states of every kind, and in their history", async (open) => {
  await using sample = await openSampleStore();
  await using visit = await open(sample, { as: sample.officer });
  const { page } = visit;
  const { overdue, held, waiting, erasing, erased, exported, refused, rectified } = sample.requests;
  const kinds = { overdue, held, waiting, erasing, erased, exported, refused, rectified };
  for (const [name, { id }] of Object.entries(kinds)) {
    await page.goto(`/inspect/requests/${id}`);
    await assertAccessible(page, name);
  }
  await page.goto(`/inspect/requests/${sample.requests.erasing.id}?at=2`);
  await assertAccessible(page, "a past event");
});

browserTest("the overview, its filters and the bulk retry are accessible", async (open) => {
  await using sample = await openSampleStore();
  await using visit = await open(sample, { as: sample.officer });
  const { page } = visit;
  const pages = {
    "the overview": "/inspect",
    "a filter": "/inspect?type=ERASURE&status=OPEN&sort=newest",
    "a filter that nothing matches": "/inspect?type=RECTIFICATION&due=overdue",
    "an invalid query": "/inspect?type=nonsense&sort=sideways&what=this",
    "the settings of the store": "/inspect/settings",
    "the record of processing": "/inspect/record-of-processing?language=de",
    "the preview of a retry": "/inspect/retry",
  };
  for (const [name, path] of Object.entries(pages)) {
    await page.goto(path);
    await assertAccessible(page, name);
  }
  await page.getByRole("button", { name: /^Retry \d requests now$/ }).click();
  await page.getByRole("status").getByText("0 refused").waitFor();
  await assertAccessible(page, "the report of a retry");
});

browserTest("customers are accessible, with and without personal values", async (open) => {
  await using sample = await openSampleStore();
  const { active, erased, erasing } = sample.customers;
  await using manager = await open(sample, { as: sample.staff(["STORE_MANAGER"]) });
  await using officer = await open(sample, { as: sample.officer });
  for (const [name, { id }] of Object.entries({ active, erased, erasing })) {
    for (const [role, { page }] of Object.entries({ manager, officer })) {
      await page.goto(`/inspect/customers/${id}`);
      await openForms(page);
      await assertAccessible(page, `${name} for the ${role}`);
    }
  }
});

browserTest("forms are accessible when open, refused and accepted", async (open) => {
  await using store = await openInspectedStore();
  const request = await store.open(await store.register(), "ACCESS");
  await store.workUntil(0);
  const second = await store.open(await store.register(), "ERASURE");
  await store.workUntil(0);
  await using visit = await open(store, { as: store.officer });
  const { page } = visit;
  for (const { id } of [request, second]) {
    await page.goto(`/inspect/requests/${id}`);
    await openForms(page);
    await assertAccessible(page, "open forms");
  }
  const third = await store.open(await store.register(), "ERASURE");
  await page.goto(`/inspect/requests/${third.id}`);
  await page.locator("summary", { hasText: "Put on hold" }).click();
  await page.locator("#ground-hold").selectOption("AUTHORITY_ORDER");
  await page.locator("#reason-hold").fill("A court asks");
  await store.send(third, "extend", { reason: "The archive is slow" });
  await page.getByLabel("Yes, put it on hold").check();
  await page.getByRole("button", { name: "Put on hold" }).click();
  await page.getByRole("alert").waitFor();
  await assertAccessible(page, "a refusal");
  await page.getByLabel("Yes, put it on hold").check();
  await page.getByRole("button", { name: "Put on hold" }).click();
  await page.getByRole("status").getByText("You put the request on hold.").waitFor();
  await assertAccessible(page, "a confirmation");
});

browserTest("twenty participants and an unknown machine are accessible", async (open) => {
  const participants = Array.from({ length: 20 }, (_, index) => `participant-${index + 1}`);
  await using store = await openInspectedStore({ participants });
  const request = await store.open(await store.register(), "ERASURE");
  await store.workUntil(0);
  await store.confirm(request, ...participants.slice(0, 7));
  const unknown = await store.open(await store.register(), "ACCESS");
  await store.world.admin`
    update gdpr_requests set machine = 'gdpr_access@99' where request_id = ${unknown.id}`;
  await using visit = await open(store, { as: store.officer });
  const { page } = visit;
  for (const { id } of [request, unknown]) {
    await page.goto(`/inspect/requests/${id}`);
    await assertAccessible(page, id === request.id ? "twenty participants" : "an unknown machine");
  }
});

browserTest("the sign-in form and errors are accessible", async (open) => {
  await using store = await openInspectedStore();
  const customer = await store.register();
  await using visit = await open(store);
  const { page } = visit;
  await page.goto("/inspect");
  await assertAccessible(page, "the sign-in form");
  await page.getByLabel("Token").fill("none");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("alert").waitFor();
  await assertAccessible(page, "an invalid token");

  await using signedIn = await open(store, { as: store.officer });
  const errors = ["/nothing", `/requests/${crypto.randomUUID()}`, `/customers/x`, "?store=x"];
  for (const path of ["", ...errors]) {
    await signedIn.page.goto(`/inspect${path}`);
    await assertAccessible(signedIn.page, path === "" ? "a store without requests" : path);
  }
  await using refused = await open(store, { as: shopper(customer) });
  await refused.page.goto("/inspect");
  await assertAccessible(refused.page, "a customer's token");
});

browserTest("each kind of page is accessible, and so are the messages of forms", async (open) => {
  await using sample = await openSampleStore();
  const { erasing, exported, erased, grace } = sample.requests;
  await using visit = await open(sample, { as: sample.officer });
  const { page } = visit;
  const pages = {
    "the overview": "/inspect",
    "an invalid query": "/inspect?type=nonsense",
    "the settings of the store": "/inspect/settings",
    "the record of processing": "/inspect/record-of-processing?language=de",
    "an erasure that waits for services": `/inspect/requests/${erasing.id}`,
    "an event of its history": `/inspect/requests/${erasing.id}?at=2`,
    "a completed erasure": `/inspect/requests/${erased.id}`,
    "an export": `/inspect/requests/${exported.id}`,
    "a customer": `/inspect/customers/${sample.customers.erasing.id}`,
    "a missing request": `/inspect/requests/${crypto.randomUUID()}`,
    "the preview of a retry": "/inspect/retry",
  };
  for (const [name, path] of Object.entries(pages)) {
    await page.goto(path);
    await openForms(page);
    await assertAccessible(page, name);
  }
  for (const text of ["leopold.niederhauser@shop.example", "no such name"]) {
    await page.goto("/inspect/search");
    await page.getByLabel("Email, name, phone or ID").fill(text);
    await page.getByRole("button", { name: "Search" }).click();
    await page.getByRole("status").getByText("found").waitFor();
    assert.equal(new URL(page.url()).search, "");
    await assertAccessible(page, `a search for ${text}`);
  }
  await page.goto("/inspect");
  await page.locator("#filters > summary").click();
  await assertAccessible(page, "open filters");
  await page.goto("/inspect/retry");
  await page.getByRole("button", { name: /^Retry \d requests now$/ }).click();
  await page.getByRole("status").getByText("0 refused").waitFor();
  await assertAccessible(page, "the report of a retry");

  await page.goto(`/inspect/requests/${grace.id}`);
  await page.locator("summary", { hasText: "Put on hold" }).click();
  await page.locator("#ground-hold").selectOption("AUTHORITY_ORDER");
  await page.locator("#reason-hold").fill("A court asks");
  await sample.send(grace, "extend", { reason: "The archive is slow" });
  await page.getByLabel("Yes, put it on hold").check();
  await page.getByRole("button", { name: "Put on hold" }).click();
  await page.getByRole("alert").waitFor();
  await assertAccessible(page, "a refusal");

  await using manager = await open(sample, { as: sample.staff(["STORE_MANAGER"]) });
  await manager.page.goto(`/inspect/customers/${sample.customers.active.id}`);
  await openForms(manager.page);
  await assertAccessible(manager.page, "a customer with personal values");
  await using signedOut = await open(sample);
  await signedOut.page.goto("/inspect");
  await signedOut.page.getByLabel("Token").fill("none");
  await signedOut.page.getByRole("button", { name: "Sign in" }).click();
  await signedOut.page.getByRole("alert").waitFor();
  await assertAccessible(signedOut.page, "the sign-in form with an invalid token");
});
