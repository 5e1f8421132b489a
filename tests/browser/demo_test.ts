/** The demonstration as a newcomer meets it: the service's own process, the printed link, a shopper, an officer. */
import assert from "node:assert/strict";
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

browserTest(
  "an officer has a silent service asked again, and watches the erasure go to its end",
  async (open) => {
    await using folder = await temporaryFolder();
    await using service = startService({ DATA_DIR: `${folder.path}/data` });
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
    await watched.evaluate(`{
    globalThis.said = new Set();
    const read = () => said.add(document.querySelector(".situation").innerText);
    new MutationObserver(read).observe(document.body, { childList: true, subtree: true });
  }`);
    await untilSaid(watched, /for the access request of the same customer to be closed/);
    await untilStanding(watched, ["PENDING.waiting_for_access"]);

    const acting = await visit.tab();
    await acting.goto(`/inspect/requests/${access}`);
    await untilSaid(acting, /^Waiting for communication-service; asked once/);
    const row = acting.locator("[data-part=participants] tr", { hasText: "communication-service" });
    await row.getByText("Waiting to ask again").waitFor();
    await acting.locator("summary", { hasText: "Try again" }).click();
    const service_ = acting.locator("#service-retry");
    if (await service_.count() > 0) await service_.selectOption("communication-service");
    await acting.getByLabel("Yes, try again now").check();
    await acting.getByRole("button", { name: "Try again" }).click();
    await untilSaid(acting, /^Completed: fulfilled/);
    const retried = acting.locator("[data-part=timeline] .moment", { hasText: "Told to try again" });
    assert.match(await retried.innerText(), /by you/);

    await untilSaid(watched, /^Completed: fulfilled/);
    await untilStanding(watched, ["COMPLETED"]);
    await watched.getByRole("link", { name: /receipt/i }).first().waitFor();
    assert.equal(await reloaded(), false);
    const said: string[] = await watched.evaluate("[...said]");
    assert.ok(said.some((line) => line.startsWith("Waiting for")), said.join(" | "));
    const told = await events(watched);
    assert.equal(told.filter((event) => event === "Confirmed").length, 3, told.join());

    await acting.getByRole("link", { name: "GDPR requests" }).first().click();
    await eventually(async () => assert.equal(await acting.getByText("Completed: fulfilled").count(), 2));
  },
);
