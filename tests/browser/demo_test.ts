/** The demonstration as a newcomer meets it: the service's own process, the printed link, a shopper, an officer. */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { eventually } from "../eventually.ts";
import { startService, temporaryFolder } from "../service.ts";
import { browserTest } from "./browser.ts";
import { events, untilSaid, untilStanding, watchForReload } from "./reading.ts";

/** Asks the subgraph as the demo shopper of the printed calls. */
async function ask(tour: string, query: string) {
  const [, url = ""] = /GraphQL +(\S+)/.exec(tour) ?? [];
  const [, authorization = ""] = /authorization: (Bearer \S+?)'/.exec(tour) ?? [];
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", authorization },
    body: JSON.stringify({ query }),
  });
  const { data } = await response.json();
  assert.ok(data, query);
  return data;
}

/** What the demonstration does not have: whoever waits for it waits until somebody decides. */
const ABSENT = "loyalty-service";
const PARTICIPANTS = ["order-service", "payment-service", "communication-service", ABSENT];

browserTest(
  "an officer has a silent service asked again, and watches the erasure go to its end",
  async (open) => {
    await using folder = await temporaryFolder();
    await using service = startService({
      DATA_DIR: `${folder.path}/data`,
      GDPR_PARTICIPANTS: PARTICIPANTS.join(),
    });
    const tour = await service.ready();
    const [, link = ""] = /Inspector +(\S+)/.exec(tour) ?? [];
    // communication-service is away when it is asked for the first time, and the erasure waits for the access.
    const access = (await ask(tour, "mutation { requestAccess { id } }")).requestAccess.id;
    const erasure = (await ask(tour, "mutation { requestErasure { id } }")).requestErasure.id;

    await using visit = await open({ origin: new URL(link).origin });
    const watched = visit.page;
    await watched.goto(link);
    await watched.locator(`a[href$="/requests/${erasure}"]`).click();
    const reloaded = await watchForReload(watched);
    await untilSaid(watched, /for the access request of the same customer to be closed/);
    await untilStanding(watched, ["PENDING.waiting_for_access"]);

    const acting = await visit.tab();
    await acting.goto(`/inspect/requests/${access}`);
    // A page on which something has happened since is refused, so all that happens by itself is waited for.
    await untilSaid(acting, /^Waiting for \S+ and \S+; asked once/);
    for (const silent of ["communication-service", ABSENT]) {
      const row = acting.locator("[data-part=participants] tr", { hasText: silent });
      await row.getByText("Waiting to ask again").waitFor();
    }
    await acting.locator("summary", { hasText: "Retry" }).click();
    await acting.locator("#service-retry").selectOption("communication-service");
    await acting.getByLabel("Yes, retry now").check();
    await acting.getByRole("button", { name: "Retry" }).click();
    await untilSaid(acting, /^Waiting for loyalty-service;/);
    const retried = acting.locator("[data-part=timeline] .moment", {
      hasText: "Retried communication-service",
    });
    assert.match(await retried.innerText(), /by you/);
    await goOnWithoutAbsent(acting);
    await untilSaid(acting, /^Completed: fulfilled/);

    await untilSaid(watched, /^Waiting for loyalty-service; asked once/);
    await acting.goto(`/inspect/requests/${erasure}`);
    await goOnWithoutAbsent(acting);
    await untilSaid(watched, /^Completed: fulfilled/);
    await untilStanding(watched, ["COMPLETED"]);
    await watched.getByRole("link", { name: /receipt/i }).first().waitFor();
    assert.equal(await reloaded(), false);
    const told = await events(watched);
    assert.equal(told.filter((event) => event.startsWith("Confirmed by ")).length, 3, told.join());

    await acting.getByRole("link", { name: "GDPR requests" }).first().click();
    await eventually(async () => assert.equal(await acting.getByText("Completed: fulfilled").count(), 2));
  },
);

async function goOnWithoutAbsent(page: Page): Promise<void> {
  const form = page.locator("#action-waive");
  await form.locator("summary").click();
  await form.getByLabel("Service", { exact: true }).selectOption(ABSENT);
  await form.getByLabel("Reason").fill("The store has no loyalty programme any more");
  await form.getByRole("checkbox").check();
  await form.getByRole("button", { name: "Continue without a service" }).click();
  await page.getByRole("status").getByText("You let the request continue without the service.").waitFor();
}
