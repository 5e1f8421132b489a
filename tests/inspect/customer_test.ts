/** Customer page: its contents, who sees personal values, and who is refused. */
import assert from "node:assert/strict";
import { ADDRESS, createGroup, customerRef, register, shopper, tell } from "../actors/world.ts";
import { createRequestFixture } from "../gdpr/request_fixture.ts";
import { startInspector, type TestInspector } from "./server.ts";

const ADA = { firstName: "Adaline", lastName: "Lovelorn", phone: "+41445551234", locale: "de-CH" };

async function show(inspector: TestInspector, path: string, as = inspector.officer): Promise<string> {
  const response = await inspector.get(`/inspect/customers/${path}`, as);
  const page = await response.text();
  assert.equal(response.status, 200, page);
  return page;
}

/** Visible text of a page. */
const textOf = (page: string) => page.replaceAll(/<[^>]+>/g, " ").replaceAll(/\s+/g, " ");

Deno.test("personal values are shown to the roles that may read them, and hidden from others", async () => {
  await using inspector = await startInspector();
  const { world, staff } = inspector;
  const ada = await register(world, ADA);
  await tell(world, ada, "address.add", ADDRESS);
  const values = [...Object.values(ADA), `${ada.id}@example.com`, ADDRESS.line1, ADDRESS.city];
  for (const roles of [["STORE_MANAGER"], ["PRIVACY_OFFICER", "CUSTOMER_SUPPORT"]] as const) {
    const page = await show(inspector, ada.id, staff([...roles]));
    for (const value of values) assert.ok(page.includes(value), value);
    const title = /<title>(.*?)<\/title>.*<h1>(.*?)<\/h1>/s.exec(page)?.slice(1).join(" ") ?? "";
    for (const value of values) assert.ok(!title.includes(value), value);
    for (const [, href] of page.matchAll(/(?:href|data-live)="([^"]*)"/g)) {
      for (const value of values) assert.ok(!decodeURIComponent(href!).includes(value), href!);
    }
  }
  const page = await show(inspector, ada.id);
  assert.match(page, /Hidden: your role may not read personal values/);
  for (const value of values) assert.ok(!page.includes(value), value);
});

Deno.test("support sees the person and the history, and neither requests nor legal holds", async () => {
  await using inspector = await startInspector();
  const { world, staff } = inspector;
  const ada = await register(world, ADA);
  const request = await createRequestFixture(world).open(ada, "ACCESS");
  await tell(world, ada, "hold.place", { ground: "LEGAL_CLAIM", note: "case 12" }, { by: world.officer });
  await tell(world, ada, "account.suspend", { reason: "Two invoices are unpaid" }, { by: world.staff });
  const secrets = new RegExp(`${request.id}|legal hold|case 12|Open a request|<svg`, "i");
  for (const role of ["CUSTOMER_SUPPORT", "CUSTOMER_MANAGER"] as const) {
    const as = staff([role]);
    for (const path of [ada.id, `${ada.id}?at=2`, `${ada.id}?upto=2`]) {
      assert.doesNotMatch(await show(inspector, path, as), secrets, `${role} ${path}`);
    }
    const page = await show(inspector, ada.id, as);
    assert.match(textOf(page), /Adaline .* Suspended active → to suspended .*Two invoices are unpaid/);
    const hasForms = /Reactivate the account|Edit the profile|Add an address/.test(page);
    assert.equal(hasForms, role === "CUSTOMER_MANAGER");
  }
  assert.match(await show(inspector, ada.id, staff(["STORE_MANAGER"])), secrets);
});

Deno.test("the page shows the state, the groups, the group that decides the prices, the requests and the history", async () => {
  await using inspector = await startInspector();
  const { world, officer } = inspector;
  const ada = await register(world);
  const [gold, silver] = [
    await createGroup(world, { name: "Gold", priority: 7 }),
    await createGroup(world, { name: "Silver", priority: 3 }),
  ];
  for (const { id } of [silver, gold]) await tell(world, ada, "group.assign", { groupId: id });
  const request = await createRequestFixture(world).open(ada, "ACCESS");
  await tell(world, ada, "account.suspend");
  const page = await show(inspector, ada.id, officer);
  const text = textOf(page);
  assert.match(page, /<p class="situation">Suspended<\/p>/);
  assert.match(text, /Gold decides: its priority 7 is the highest; the next is Silver with 3\./);
  assert.match(page, new RegExp(`href="/inspect/requests/${request.id}"`));
  assert.match(text, /Suspended .* Group assigned .* Registered/);
  assert.match(page, /Statechart of customer@1/);
  const ungrouped = await register(world);
  assert.match(await show(inspector, ungrouped.id), /in no group, so the store&#39;s own prices apply/);
  assert.match(await show(inspector, ungrouped.id), /No request was opened about this customer/);
});

Deno.test("the chart shows the account after each of its events", async () => {
  await using inspector = await startInspector();
  const { world } = inspector;
  const ada = await register(world);
  await tell(world, ada, "account.suspend");
  const current = (page: string) =>
    textOf(/<details[^>]*><summary>Chart as text[\s\S]*?<\/details>/.exec(page)![0]);
  assert.notEqual(current(await show(inspector, `${ada.id}?at=1`)), current(await show(inspector, ada.id)));
  assert.equal(current(await show(inspector, `${ada.id}?at=2`)), current(await show(inspector, ada.id)));
  assert.match(await show(inspector, `${ada.id}?at=1`), /shows the account at .*after event #1/);
});

Deno.test("the page of an anonymized customer shows the time and the request", async () => {
  await using inspector = await startInspector();
  const { world, staff } = inspector;
  const ada = await register(world, ADA);
  const workshop = createRequestFixture(world);
  const request = await workshop.open(ada, "ERASURE");
  await workshop.work();
  const page = await show(inspector, ada.id, staff(["STORE_MANAGER"]));
  const [row] = await world.admin`select anonymized_at from customers where customer_id = ${ada.id}`;
  const situation = /<p class="situation">(.*?)<\/p>/s.exec(page)?.[1] ?? "";
  assert.match(situation, /Anonymized on/);
  assert.ok(situation.includes(row?.anonymizedAt.toISOString()), situation);
  assert.ok(situation.includes(`/inspect/requests/${request.id}`), situation);
  assert.match(page, /The erasure removed all personal values/);
  assert.doesNotMatch(page, /<dt>Addresses/, "the rows remain, without values");
});

Deno.test("customers of another store, unknown customers and unknown events are not found; other roles are refused", async () => {
  await using inspector = await startInspector();
  const { world, officer, staff } = inspector;
  const ada = await register(world);
  const stranger = staff(["STORE_MANAGER"], crypto.randomUUID());
  const cases = [
    [ada.id, stranger, 404],
    [`${ada.id}/live`, stranger, 404],
    [crypto.randomUUID(), officer, 404],
    ["unknown", officer, 404],
    [`${ada.id}?at=99`, officer, 404],
    [`${ada.id}?at=0`, officer, 400],
    [ada.id, staff([]), 403],
    [ada.id, shopper(ada), 403],
    [ada.id, shopper(customerRef(world)), 403],
  ] as const;
  for (const [path, as, status] of cases) {
    const response = await inspector.get(`/inspect/customers/${path}`, as);
    await response.body?.cancel();
    assert.equal(response.status, status, `${path} ${as.type} ${as.roles}`);
  }
});
