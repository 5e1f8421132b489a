/** Signing in, by the form and by the development link, signing out, and refusals. */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { shopper } from "../actors/world.ts";
import { browserTest } from "./browser.ts";
import { PERSONAL_VALUES } from "./sample_customers.ts";
import { openInspectedStore } from "./store.ts";

async function signIn(page: Page, token: string) {
  await page.getByLabel("Token").fill(token);
  await page.getByRole("button", { name: "Sign in" }).click();
}

browserTest(
  "the form signs in and leads to the requested page, and signing out ends the session",
  async (open) => {
    await using store = await openInspectedStore();
    const request = await store.open(await store.register(), "ERASURE");
    const path = `/inspect/requests/${request.id}`;
    await using visit = await open(store);
    const { page } = visit;
    await page.goto(path);
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    await signIn(page, "no token at all");
    await page.getByRole("alert").waitFor();
    await signIn(page, await store.token(store.officer));
    await page.waitForURL(path);
    await page.getByRole("heading", { name: /^Erasure request/ }).waitFor();
    assert.deepEqual((await page.context().cookies()).map(({ httpOnly, sameSite }) => [httpOnly, sameSite]), [
      [true, "Strict"],
    ]);
    assert.equal(await page.evaluate("document.cookie"), "");
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.waitForURL("/inspect/signed-out");
    await page.goto(path);
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
  },
);

browserTest(
  "an officer who follows a link of another site can continue from the sign-in form",
  async (open) => {
    await using store = await openInspectedStore();
    const request = await store.open(await store.register(), "ERASURE");
    await using visit = await open(store, { as: store.officer });
    const { page } = visit;
    const path = `/inspect/requests/${request.id}`;
    await page.setContent(`<a href="${store.origin}${path}">A mail about a request</a>`);
    await page.getByRole("link").click();
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    await page.getByRole("link", { name: "Continue" }).click();
    await page.getByRole("heading", { name: /^Erasure request/ }).waitFor();
    assert.equal(page.url(), `${store.origin}${path}`);
  },
);

browserTest("the development link signs in, and its code is removed from the URL", async (open) => {
  await using store = await openInspectedStore({ development: "c0de" });
  await using visit = await open(store);
  const { page } = visit;
  await page.goto("/inspect/sign-in?code=c0de");
  assert.equal(page.url(), `${store.origin}/inspect`);
  await page.getByRole("heading", { name: "GDPR requests" }).waitFor();
});

browserTest(
  "a customer's token is refused with 403 and a message, in the form and in the cookie",
  async (open) => {
    await using store = await openInspectedStore();
    const customer = await store.register();
    const request = await store.open(customer, "ACCESS");
    await using visit = await open(store);
    const { page } = visit;
    await page.goto("/inspect");
    const [refused] = await Promise.all([
      page.waitForResponse((response) => response.request().method() === "POST"),
      signIn(page, await store.token(shopper(customer))),
    ]);
    assert.equal(refused.status(), 403);
    await page.getByRole("alert").getByText("not a customer").waitFor();

    await using other = await open(store, { as: shopper(customer) });
    for (
      const path of ["", "/retry", `/requests/${request.id}`, `/customers/${customer.id}`, "/live"]
    ) {
      const response = await other.page.goto(`/inspect${path}`);
      assert.equal(response?.status(), 403, path);
      assert.match(await other.page.locator("main").innerText(), /not a customer/);
    }
  },
);

browserTest("an officer of another store sees nothing of this store", async (open) => {
  await using store = await openInspectedStore();
  const customer = await store.register();
  const request = await store.open(customer, "ACCESS");
  await store.workUntil(0);
  const stranger = store.staff(["STORE_MANAGER", "PRIVACY_OFFICER"], crypto.randomUUID());
  await using visit = await open(store, { as: stranger });
  const { page } = visit;
  await page.goto("/inspect");
  await page.getByText("This store has no requests yet.").waitFor();
  const otherStore = `store=${store.world.storeId}`;
  const responses: [path: string, status: number][] = [
    [`?customer=${customer.id}`, 200],
    ["/retry", 200],
    [`/requests/${request.id}`, 404],
    [`/requests/${request.id}/receipt`, 404],
    [`/requests/${request.id}/export/access.html`, 404],
    [`/requests/${request.id}/live`, 404],
    [`/customers/${customer.id}`, 404],
    [`?${otherStore}`, 403],
    [`/live?${otherStore}`, 403],
    [`/requests/${request.id}?${otherStore}`, 403],
    [`/customers/${customer.id}?${otherStore}`, 403],
  ];
  const secrets = [...PERSONAL_VALUES, "Access request", "collecting", "order-service"];
  for (const [path, status] of responses) {
    const response = await page.goto(`/inspect${path}`);
    assert.equal(response?.status(), status, path);
    const text = await page.locator("main").innerText();
    for (const secret of secrets) assert.ok(!text.includes(secret), `${path} contains ${secret}`);
    assert.equal(await page.locator("main tbody a[href*='/requests/']").count(), 0, path);
  }
});
