/** The demonstration in a process of its own: the printed link, a shopper and an officer. */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { eventually } from "../eventually.ts";
import { paste, variablesIn } from "../readme.ts";
import { startService, temporaryFolder } from "../service.ts";
import { browserTest } from "./browser.ts";
import { eventTitles, untilStates, untilStatus, watchForReload } from "./request_page.ts";

/** Queries the subgraph as the demo shopper. */
async function query(tour: string, document: string) {
  const { stdout } = await paste(`${variablesIn(tour)}\n./cs graphql '${document}'`);
  const { data } = JSON.parse(stdout);
  assert.ok(data, document);
  return data;
}

/** Not part of the demonstration, so it never answers. */
const ABSENT = "loyalty-service";
const PARTICIPANTS = ["order-service", "payment-service", "communication-service", ABSENT];

browserTest(
  "an officer retries a silent participant and follows the erasure to its completion",
  async (open) => {
    await using folder = await temporaryFolder();
    await using service = startService({
      DATA_DIR: `${folder.path}/data`,
      GDPR_GRACE: "0s",
      GDPR_PARTICIPANTS: PARTICIPANTS.join(),
    });
    const tour = await service.ready();
    const [, link = ""] = /Inspector +(\S+)/.exec(tour) ?? [];
    // communication-service fails its first call, and the erasure waits for the access request.
    const access =
      (await query(tour, "mutation { requestAccess { request { id } } }")).requestAccess.request.id;
    const erasure =
      (await query(tour, "mutation { requestErasure { request { id } } }")).requestErasure.request.id;
    // The history of the demo store is loaded before the work starts.
    await eventually(async () => {
      const { gdprRequest } = await query(tour, `{ gdprRequest(id: "${access}") { status } }`);
      assert.equal(gdprRequest.status, "IN_PROGRESS");
    }, 180_000);

    await using visit = await open({ origin: new URL(link).origin });
    const erasurePage = visit.page;
    await erasurePage.goto(link);
    await erasurePage.locator(`a[href$="/requests/${erasure}"]`).click();
    const reloaded = await watchForReload(erasurePage);
    await untilStatus(erasurePage, /for the customer's access request to be closed/);
    await untilStates(erasurePage, ["PENDING.waiting_for_access"]);

    const accessPage = await visit.tab();
    await accessPage.goto(`/inspect/requests/${access}`);
    // A decision on an outdated page is refused, so wait for everything that happens automatically.
    await untilStatus(
      accessPage,
      /^loyalty-service could not be asked .*; communication-service has not answered/,
    );
    const states = { "communication-service": "Waiting to ask again", [ABSENT]: "Not asked" };
    for (const [silent, state] of Object.entries(states)) {
      const row = accessPage.locator("[data-part=participants] tr", { hasText: silent });
      await row.getByText(state).waitFor();
    }
    await accessPage.locator("summary", { hasText: "Retry" }).click();
    await accessPage.locator("#service-retry").selectOption("communication-service");
    await accessPage.getByLabel("Yes, retry now").check();
    await accessPage.getByRole("button", { name: "Retry" }).click();
    await untilStatus(accessPage, /^loyalty-service could not be asked(?!.*communication-service)/);
    const retried = accessPage.locator("[data-part=timeline] .moment", {
      hasText: "Retried communication-service",
    });
    assert.match(await retried.innerText(), /by you/);
    await waiveAbsent(accessPage);
    await untilStatus(accessPage, /^Completed: fulfilled with waivers/);

    await untilStates(erasurePage, ["PENDING.waiting_for_download"]);
    await query(tour, `mutation { proceedWithErasure(id: "${erasure}") { request { id } } }`);
    await untilStatus(erasurePage, /^Waiting for loyalty-service; asked once/);
    await accessPage.goto(`/inspect/requests/${erasure}`);
    await waiveAbsent(accessPage);
    await untilStatus(erasurePage, /^Completed: fulfilled with waivers/);
    await untilStates(erasurePage, ["COMPLETED"]);
    await erasurePage.getByRole("link", { name: /receipt/i }).first().waitFor();
    assert.equal(await reloaded(), false);
    const titles = await eventTitles(erasurePage);
    assert.equal(titles.filter((title) => title.startsWith("Confirmed by ")).length, 3, titles.join());

    await accessPage.getByRole("link", { name: "GDPR requests" }).first().click();
    await accessPage.waitForURL((url) => url.pathname === "/inspect");
    for (const label of ["Completed: fulfilled with waivers", "Completed: not fetched"]) {
      await eventually(async () => assert.equal(await accessPage.getByText(label).count(), 1, label));
    }
    const { output, stderr } = await service.stop("SIGTERM");
    assert.match(
      `${output}${stderr}`,
      /loyalty-service"? is a participant without a URL.*PEER_LOYALTY_SERVICE_URL/,
    );
  },
);

async function waiveAbsent(page: Page): Promise<void> {
  const form = page.locator("#action-waive");
  await form.locator("summary").click();
  await form.getByLabel("Service", { exact: true }).selectOption(ABSENT);
  await form.getByLabel("Reason").fill("The store has no loyalty program any more");
  await form.getByRole("checkbox").check();
  await form.getByRole("button", { name: "Continue without a service" }).click();
  await page.getByRole("status").getByText("You waived the service, or proposed to waive it.").waitFor();
}
