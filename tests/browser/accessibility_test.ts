/**
 * Accessibility of each kind of page (WCAG 2.2 AA, by axe-core): wide and narrow, light and dark.
 * accessibility_long_test.ts checks each page in more states.
 */
import assert from "node:assert/strict";
import { createGroup } from "../actors/world.ts";
import { assertAccessibleBriefly, horizontalOverflow, openForms, PHONE, WIDE } from "./axe.ts";
import { browserTest } from "./browser.ts";
import { openSampleStore } from "./sample_store.ts";
import { openInspectedStore } from "./store.ts";

browserTest(
  "the pages that officers use most are accessible, and so are the messages of forms",
  async (open) => {
    await using sample = await openSampleStore();
    const { erasing, grace } = sample.requests;
    await using visit = await open(sample, { as: sample.officer });
    const { page } = visit;
    const pages = {
      "the overview": "/inspect",
      "an erasure that waits for services": `/inspect/requests/${erasing.id}`,
      "the settings of the store": "/inspect/settings",
    };
    for (const [name, path] of Object.entries(pages)) {
      await page.goto(path);
      await openForms(page);
      await assertAccessibleBriefly(page, name);
    }
    await page.goto("/inspect/search");
    await page.getByLabel("Email, name, phone or ID").fill("leopold.niederhauser@shop.example");
    await page.getByRole("button", { name: "Search" }).click();
    await page.getByRole("status").getByText("found").waitFor();
    assert.equal(new URL(page.url()).search, "");
    await assertAccessibleBriefly(page, "a search");

    await page.goto(`/inspect/requests/${grace.id}`);
    await page.locator("summary", { hasText: "Put on hold" }).click();
    await page.locator("#ground-hold").selectOption("AUTHORITY_ORDER");
    await page.locator("#reason-hold").fill("A court asks");
    await sample.send(grace, "extend", { reason: "The archive is slow" });
    await page.getByLabel("Yes, put it on hold").check();
    await page.getByRole("button", { name: "Put on hold" }).click();
    await page.getByRole("alert").waitFor();
    await assertAccessibleBriefly(page, "a refusal");

    const group = await createGroup(sample.world, { name: "Wholesale" });
    await sample.send(sample.customers.active, "group.assign", { groupId: group.id }, sample.world.system);
    await using manager = await open(sample, { as: sample.staff(["STORE_MANAGER"]) });
    const ofStaff = {
      "the customers": "/inspect/customers",
      "a customer with personal values": `/inspect/customers/${sample.customers.active.id}`,
      "the groups": "/inspect/groups",
      "a group": `/inspect/groups/${group.id}`,
    };
    for (const [name, path] of Object.entries(ofStaff)) {
      await manager.page.goto(path);
      await openForms(manager.page);
      await assertAccessibleBriefly(manager.page, name);
    }
  },
);

browserTest("long words do not overflow the page", async (open) => {
  const longWord = "Rechtsschutzversicherungsgesellschaften".repeat(12).slice(0, 480);
  const participants = ["order-service", `${"a-service-of-many-names-".repeat(3)}service`];
  await using store = await openInspectedStore({ participants });
  const held = await store.open(await store.register(), "ERASURE");
  await store.send(held, "hold", { ground: "LEGAL_CLAIM", reason: longWord });
  const refused = await store.open(await store.register(), "ERASURE");
  await store.send(refused, "extend", { reason: longWord });
  await store.send(refused, "refuse", { reason: longWord, ground: "EXCESSIVE" });
  const waived = await store.open(await store.register(), "ERASURE");
  await store.workUntil(0);
  await store.send(
    waived,
    "participant.confirm",
    { service: participants[0], evidence: longWord },
    store.world.system,
  );
  await using visit = await open(store, { as: store.officer });
  const { page } = visit;
  for (const [name, { id }] of Object.entries({ held, refused, waived })) {
    await page.goto(`/inspect/requests/${id}`);
    await openForms(page);
    for (const size of [WIDE, PHONE]) {
      await page.setViewportSize(size);
      assert.equal(await horizontalOverflow(page), 0, `${name}, ${size.width} pixels wide`);
    }
  }
});
