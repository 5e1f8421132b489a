/** Customers and groups in a browser: forms that are refused, long and unusual values, and widths. */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { createGroup, register, tell } from "../actors/world.ts";
import { assertAccessible, horizontalOverflow, openForms } from "./axe.ts";
import { browserTest } from "./browser.ts";
import { openInspectedStore } from "./store.ts";

const WIDTHS = [1440, 1024, 390, 320];

/** Fails if the page is wider than its window. */
async function assertFits(page: Page, name: string): Promise<void> {
  for (const width of WIDTHS) {
    await page.setViewportSize({ width, height: 900 });
    assert.equal(await horizontalOverflow(page), 0, `${name}, ${width} pixels wide`);
  }
}

browserTest("long names, long addresses and markup neither overflow a page nor run", async (open) => {
  await using store = await openInspectedStore();
  const { world } = store;
  const word = "Wolfeschlegelsteinhausenbergerdorff".repeat(3).slice(0, 100);
  const markup = '<img src=x onerror="document.title=1"><script>document.title=2</script>';
  const long = await register(world, { firstName: word, lastName: word, locale: "de-CH" });
  const tricky = await register(world, { firstName: markup, lastName: "\u05d0\u05d1" });
  const groups = [
    await createGroup(world, { name: word }),
    await createGroup(world, { name: markup.replaceAll("=", " "), priority: 2 ** 31 - 1 }),
  ];
  for (const customer of [long, tricky]) {
    for (let index = 0; index < 3; index++) {
      await tell(world, customer, "address.add", {
        line1: `${index}${word}${word}`.slice(0, 200),
        line2: markup,
        city: word,
        state: word,
        country: "CH",
        postalCode: "W".repeat(20),
      });
    }
    for (const { id } of groups) await tell(world, customer, "group.assign", { groupId: id });
  }
  await using visit = await open(store, { as: store.staff(["STORE_MANAGER"]) });
  const { page } = visit;
  const pages = {
    "the customers": "/inspect/customers",
    "a long name": `/inspect/customers/${long.id}`,
    "markup": `/inspect/customers/${tricky.id}`,
    "the groups": "/inspect/groups",
    "a group": `/inspect/groups/${groups[0]!.id}`,
    "a group with markup": `/inspect/groups/${groups[1]!.id}`,
  };
  for (const [name, path] of Object.entries(pages)) {
    await page.goto(path);
    await openForms(page);
    await assertFits(page, name);
    assert.match(await page.title(), /^(Customers?|Groups?)\b/, name);
    await assertAccessible(page, name);
  }
});

browserTest("a form that was refused is accessible, and a conflict shows both values", async (open) => {
  await using store = await openInspectedStore();
  const { world } = store;
  const customer = await register(world, { firstName: "Ada", lastName: "Quirrel" });
  await using visit = await open(store, { as: store.staff(["CUSTOMER_MANAGER"]) });
  const { page } = visit;
  const path = `/inspect/customers/${customer.id}`;
  await page.goto(path);
  await page.locator("summary", { hasText: "Edit the profile" }).click();
  await page.getByLabel("Phone (optional)").fill("044 555");
  await page.getByLabel("First name (optional)").fill("Augusta");
  await page.getByRole("button", { name: "Save the profile" }).click();
  await page.getByRole("alert").waitFor();
  await assertAccessible(page, "a wrong value");
  await page.getByRole("link", { name: "Go to the form" }).click();
  await tell(world, customer, "profile.update", { lastName: "King" });
  await page.getByLabel("Phone (optional)").fill("+41445551234");
  await page.getByRole("button", { name: "Save the profile" }).click();
  await page.getByText("Conflict: someone else changed the customer first").waitFor();
  await page.getByText("Stored now: King").waitFor();
  await assertAccessible(page, "a conflict");
  await page.getByLabel("Last name (optional)").fill("King");
  await page.getByRole("button", { name: "Save the profile" }).click();
  await page.getByText("You changed the profile.").waitFor();
  await page.waitForURL(`${path}#person`); // a reload does not repeat the message
  await page.getByText("Augusta").first().waitFor();
});

browserTest("without JavaScript a customer is found, suspended and reactivated", async (open) => {
  await using store = await openInspectedStore();
  await register(store.world, { firstName: "Ada", lastName: "Quirrel" });
  const as = store.staff(["CUSTOMER_MANAGER"]);
  await using visit = await open(store, { as, javaScriptEnabled: false });
  const { page } = visit;
  await page.goto("/inspect");
  await page.getByLabel("Name, email, phone or ID").last().fill("Qiurrel");
  await page.getByRole("button", { name: "Show" }).click();
  assert.equal(new URL(page.url()).search, "");
  await page.getByRole("link", { name: "Ada Quirrel" }).click();
  for (const [title, done] of [["Suspend", "suspended"], ["Reactivate", "reactivated"]] as const) {
    await page.locator("summary", { hasText: `${title} the account` }).click();
    await page.getByLabel(`Yes, ${title.toLowerCase()} it`).check();
    await page.getByRole("button", { name: `${title} the account` }).click();
    await page.getByText(`You ${done} the account.`).waitFor();
  }
});

browserTest("the page of a customer updates itself, except a form in use", async (open) => {
  await using store = await openInspectedStore();
  const { world } = store;
  const customer = await register(world, { firstName: "Ada" });
  await using visit = await open(store, { as: store.staff(["CUSTOMER_MANAGER"]) });
  const { page } = visit;
  await page.goto(`/inspect/customers/${customer.id}`);
  await page.locator("summary", { hasText: "Edit the profile" }).click();
  await page.getByLabel("First name (optional)").fill("Grace");
  await tell(world, customer, "account.suspend");
  await page.locator(".situation", { hasText: "Suspended" }).waitFor();
  assert.equal(await page.getByLabel("First name (optional)").inputValue(), "Grace");
  await page.getByText("Everything is up to date except the form that you are filling in").waitFor();
});
