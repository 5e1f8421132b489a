/** Pages of notices and of requests of persons without an account: their forms work and are accessible. */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import type { ActorRef } from "../../actors/commands.ts";
import { horizontalOverflow, violations } from "./axe.ts";
import { browserTest } from "./browser.ts";
import { openSampleStore } from "./sample_store.ts";

async function assertAccessibleInBoth(page: Page, name: string): Promise<void> {
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    for (const width of [1440, 390]) {
      await page.setViewportSize({ width, height: 900 });
      const found = [await violations(page), await horizontalOverflow(page)];
      assert.deepEqual(found, [[], 0], `${name}, ${colorScheme}, ${width} pixels wide`);
    }
  }
}

browserTest(
  "an officer waives a notice that an address has refused, and opens a request of a person without an account",
  async (open) => {
    await using sample = await openSampleStore();
    await using visit = await open(sample, { as: sample.officer });
    const { page } = visit;
    const { refused, erasing } = sample.requests;
    const rows = await sample.world
      .admin`select notice_id from gdpr_notices where request_id = ${refused.id}`;
    for (const { noticeId: id } of rows) {
      const notice: ActorRef = { kind: "gdpr_notice", storeId: sample.world.storeId, id };
      await sample.send(notice, "bounce", {}, sample.world.system);
    }
    await page.goto(`/inspect/requests/${refused.id}`);
    const notices = page.locator("[data-part=notices]");
    await notices.getByLabel("Reason to waive the notice: Request received").selectOption("SENT_BY_LETTER");
    await notices.getByRole("row", { name: /Request received/ }).getByRole("button", { name: "Waive" })
      .click();
    await notices.locator("td").filter({ hasText: "Waived: sent by letter" }).waitFor();
    const states = await notices.locator("td[data-name=State]").allInnerTexts();
    assert.deepEqual(states.map((state) => state.trim()), ["Waived: sent by letter", "Undeliverable"]);
    assert.equal(await notices.getByRole("combobox").count(), 1, "a waived notice cannot be waived again");
    await assertAccessibleInBoth(page, "undeliverable and waived notices");
    await page.goto(`/inspect/requests/${erasing.id}`);
    await assertAccessibleInBoth(page, "due and waiting notices");

    await page.goto("/inspect/open");
    await assertAccessibleInBoth(page, "the form");
    await page.getByLabel("Email address").fill("ottilie@notice.example");
    await page.getByLabel("Type").selectOption("ACCESS");
    await page.getByLabel("How it was received").selectOption("LETTER");
    await page.getByLabel("Day of receipt").fill("2999-01-01");
    await page.getByRole("button", { name: "Open the request" }).click();
    await page.getByRole("alert").waitFor();
    await assertAccessibleInBoth(page, "a refused form");
    await page.getByLabel("Day of receipt").fill("");
    await page.getByRole("button", { name: "Open the request" }).click();
    await page.waitForURL(/\/inspect\/requests\//);
    await assertAccessibleInBoth(page, "the request of a person without an account");
  },
);
