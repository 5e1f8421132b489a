/**
 * Tasks of officers and staff in a real browser, with the number of their steps and their time. A step is a click, or a
 * field that is filled in. The test prints a table; "before" is a walk through the inspector before it had these pages.
 */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import type { RoleName } from "../../domain/principal.ts";
import { SAMPLE_CUSTOMERS } from "../../demo/sample_customers.ts";
import { createGroup, tell } from "../actors/world.ts";
import { browserTest } from "./browser.ts";
import { openSampleStore, type SampleStore } from "./sample_store.ts";

/** Counts the steps of a person on a page. */
interface Steps {
  page: Page;
  click(name: string | RegExp, options?: { role?: "link" | "button" | "checkbox" }): Promise<void>;
  /** Opens the form with this summary. */
  open(summary: string): Promise<void>;
  fill(label: string, text: string): Promise<void>;
  choose(label: string, option: string): Promise<void>;
  /** Clicks anywhere on a row that has the text. */
  row(text: string): Promise<void>;
  taken(): number;
}

interface Task {
  name: string;
  before: string;
  as: RoleName;
  /** Path on which the task starts. */
  start?: string;
  run(steps: Steps, store: SampleStore): Promise<void>;
}

const NAME = "leopold.niederhauser@shop.example";

const TASKS: Task[] = [
  {
    name: "1 find the request of the customer with an email",
    before: "no way; 1 curl and 3 steps",
    as: "PRIVACY_OFFICER",
    async run({ page, fill, click }) {
      await fill("Email, name, phone or ID", NAME);
      await click("Search");
      await page.locator("table.requests a[href*='/requests/']").first().waitFor();
    },
  },
  {
    name: "2 which service holds everything up, since when; retry it",
    before: "3 steps; since when: no way",
    as: "PRIVACY_OFFICER",
    async run({ page, click }) {
      await page.getByText(/Waiting for: .*payment-service/).waitFor();
      await page.locator("table.requests .why", { hasText: "since" }).first().waitFor();
      await click("Retry stuck requests…", { role: "link" });
      await click(/^Retry \d+ requests? now$/);
      await page.getByRole("status").getByText("refused").waitFor();
    },
  },
  {
    name: "3 extend a request with a reason",
    before: "5 steps",
    as: "PRIVACY_OFFICER",
    async run({ page, row, open, fill, click }, { requests }) {
      await row(requests.collecting.id.slice(-8));
      await open("Extend");
      await fill("Reason for the customer", "The archive answers slowly");
      await click("Yes, extend it", { role: "checkbox" });
      await click("Extend");
      await page.getByText("You extended the due date.").waitFor();
    },
  },
  {
    name: "4 put an erasure on legal hold",
    before: "5 steps; impossible after the start",
    as: "PRIVACY_OFFICER",
    async run({ page, row, open, choose, fill, click }, { requests }) {
      await row(requests.grace.id.slice(-8));
      await open("Put on hold");
      await choose("Legal ground", "Order of a court or an authority");
      await fill("Reason for the customer", "A court asks for it");
      await click("Yes, put it on hold", { role: "checkbox" });
      await click("Put on hold");
      await page.getByText("You put the request on hold.").waitFor();
    },
  },
  {
    name: "5 why this price list",
    before: "no way without the ID",
    as: "CUSTOMER_SUPPORT",
    async run({ page, fill, click, row }) {
      await fill("Name, email, phone or ID", "Pfannenstiel");
      await click("Show");
      await row("Valentin Pfannenstiel");
      await page.getByText(/decides: it is the only group/).waitFor();
    },
  },
  {
    name: "6 prove an erasure to an authority, by email",
    before: "no way without the ID",
    as: "PRIVACY_OFFICER",
    async run({ page, fill, click }, { customers }) {
      // The database no longer has the email.
      const erased = SAMPLE_CUSTOMERS.find(({ id }) => id === customers.erased.id);
      await fill("Email, name, phone or ID", erased!.email);
      await click("Search");
      await click(/^receipt no\. /, { role: "link" });
      await page.getByText(/was erased|have been erased/).first().waitFor();
    },
  },
  {
    name: "7 move a customer to Wholesale",
    before: "no way; 1 call of REST",
    as: "CUSTOMER_MANAGER",
    async run({ page, row, open, choose, click }) {
      await row("Cordelia Oakenshaw");
      await open("Assign a group");
      await choose("Group", "Wholesale (priority 20)");
      await click("Assign a group");
      await page.getByText("You assigned a group.").waitFor();
    },
  },
  {
    name: "8 all overdue requests as CSV",
    before: "no way",
    as: "PRIVACY_OFFICER",
    async run({ page, click }) {
      await click("Overdue", { role: "link" });
      const download = page.waitForEvent("download");
      await click("CSV", { role: "link" });
      assert.match((await download).suggestedFilename(), /^gdpr-requests-.*\.csv$/);
    },
  },
  {
    name: "9 open a request for a letter",
    before: "no way; REST with a wrong date",
    as: "STORE_MANAGER",
    async run({ page, fill, click, row, open, choose }) {
      await fill("Email, name, phone or ID", NAME);
      await click("Search");
      await row("Leopold Niederhauser");
      await open("Open a request");
      await choose("Type", "Portability");
      await choose("How it was received", "By letter");
      await fill("Day of receipt (optional)", new Date(Date.now() - 86_400_000).toISOString().slice(0, 10));
      await click("Open the request");
      await page.waitForURL(/\/inspect\/requests\//);
    },
  },
  {
    name: "10 suspend a customer with a reason",
    before: "no way; 1 call of REST",
    as: "CUSTOMER_MANAGER",
    async run({ page, row, open, fill, click }) {
      await row("Marguerite Montclair");
      await open("Suspend the account");
      await fill("Reason for the customer", "Three invoices are unpaid");
      await click("Yes, suspend it", { role: "checkbox" });
      await click("Suspend the account");
      await page.getByText("You suspended the account.").waitFor();
    },
  },
  {
    name: "11 find a customer by a mistyped name",
    before: "no way",
    as: "CUSTOMER_SUPPORT",
    async run({ page, fill, click }) {
      await fill("Name, email, phone or ID", "Niderhauser");
      await click("Show");
      await page.getByRole("link", { name: "Leopold Niederhauser" }).waitFor();
    },
  },
];

function countSteps(page: Page): Steps {
  let steps = 0;
  const main = page.locator("main");
  return {
    page,
    async click(name, { role = "button" } = {}) {
      steps++;
      const places = [main, page.locator("header")];
      for (const place of places) {
        const target = place.getByRole(role, { name, exact: role !== "link" }).locator("visible=true")
          .first();
        if (await target.count() > 0) return await target.click();
      }
      throw new Error(`Nothing to click: ${name}`);
    },
    async open(summary) {
      steps++;
      await main.locator("summary", { hasText: new RegExp(`^${summary}$`) }).first().click();
    },
    async fill(label, text) {
      steps++;
      await page.getByLabel(label).locator("visible=true").first().fill(text);
    },
    async choose(label, option) {
      steps++;
      await main.getByLabel(label, { exact: true }).locator("visible=true").first().selectOption({
        label: option,
      });
    },
    async row(text) {
      steps++;
      await main.locator("tbody tr", { hasText: text }).first().locator("a").first().click();
      await page.waitForLoadState();
    },
    taken: () => steps,
  };
}

browserTest("the tasks of officers and staff need few steps", async (open) => {
  await using sample = await openSampleStore();
  const { world, customers } = sample;
  const wholesale = await createGroup(world, { name: "Wholesale", priority: 20 });
  await tell(world, customers.active, "group.assign", { groupId: wholesale.id });
  const table: Record<string, { before: string; steps: number; seconds: number }> = {};
  for (const { name, before, as, run } of TASKS) {
    await using visit = await open(sample, { as: sample.staff([as]) });
    await visit.page.goto("/inspect", { waitUntil: "load" });
    const steps = countSteps(visit.page);
    const startedAt = performance.now();
    await run(steps, sample);
    const seconds = Math.round((performance.now() - startedAt) / 100) / 10;
    table[name] = { before, steps: steps.taken(), seconds };
    assert.ok(steps.taken() <= 8, `${name}: ${steps.taken()} steps`);
  }
  // deno-lint-ignore no-console -- the table is the result
  console.table(table);
});
