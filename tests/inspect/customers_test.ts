/** List of customers: search by POST, filters in the address, pages, and who sees it. */
import assert from "node:assert/strict";
import type { Principal } from "../../domain/principal.ts";
import { createGroup, mapConcurrently, register, tell } from "../actors/world.ts";
import { formsOf } from "./html_forms.ts";
import { nextPageOf } from "./overview_rows.ts";
import { startInspector } from "./server.ts";

const PATH = "/inspect/customers";

Deno.test("staff find customers by text and by filters, and no address has a personal value", async (t) => {
  await using inspector = await startInspector();
  const { world, staff } = inspector;
  const support = staff(["CUSTOMER_SUPPORT"]);
  const ada = await register(world, {
    email: "ada.quirrel@shop.example",
    firstName: "<b>Ada</b>",
    lastName: "Quirrel",
    phone: "+41445551234",
  });
  const bert = await register(world, { email: "bert@shop.example", firstName: "Bert", lastName: "Quirrel" });
  const gone = await register(world, { email: "gone@shop.example", firstName: "Gone" });
  const gold = await createGroup(world, { name: "Gold" });
  await tell(world, ada, "group.assign", { groupId: gold.id });
  await tell(world, bert, "account.close");
  await tell(world, gone, "erase", { requestId: crypto.randomUUID() });
  const names = new Map([[ada.id, "ada"], [bert.id, "bert"], [gone.id, "gone"]]);
  const foundOn = (page: string) =>
    [...page.matchAll(/<a class="row-link" href="\/inspect\/customers\/([\w-]+)"/g)]
      .map(([, id = ""]) => names.get(id));
  const list = async (search = "", as: Principal = support) => {
    const response = await inspector.get(`${PATH}${search}`, as);
    const page = await response.text();
    assert.equal(response.status, 200, page);
    return foundOn(page);
  };
  const find = async (fields: Record<string, string>, as: Principal = support) => {
    const response = await inspector.post(PATH, as, fields);
    const page = await response.text();
    assert.equal(response.status, 200, page);
    return { page, found: foundOn(page) };
  };

  await t.step("filters are in the address", async () => {
    assert.deepEqual(await list(), ["bert", "ada"]);
    assert.deepEqual(await list("?status=ACTIVE"), ["ada"]);
    assert.deepEqual(await list("?status=CLOSED"), ["bert"]);
    assert.deepEqual(await list("?status=ERASED"), ["gone"]);
    assert.deepEqual(await list(`?group=${gold.id}&status=`), ["ada"]);
    assert.deepEqual(await list(`?group=${gold.id}&status=CLOSED`), []);
    const redirect = await inspector.post(PATH, support, { text: " ", status: "CLOSED", group: gold.id });
    assert.equal(redirect.headers.get("location"), `${PATH}?status=CLOSED&group=${gold.id}`);
    for (const search of ["?status=GOLD", "?group=gold", "?after=x"]) {
      assert.equal((await inspector.get(`${PATH}${search}`, support)).status, 400, search);
    }
  });

  await t.step("a text finds by name, email, phone, ID and a similar name, within the filters", async () => {
    const cases: [text: string, found: string[], as: RegExp][] = [
      ["quirrel", ["bert", "ada"], /found by name/],
      ["Bert Qui", ["bert"], /found by name/],
      ["ada.quirrel@sh", ["ada"], /found by email/],
      ["0041 44 555 12 34", ["ada"], /found by phone/],
      [ada.id.toUpperCase(), ["ada"], /found by ID/],
      ["Qiurrel", ["bert", "ada"], /with a similar name/],
      ["gone@shop.example", [], /No customer was found/],
      ["%", [], /No customer was found/],
      ["Tom", [], /No customer was found/],
    ];
    for (const [text, expected, as] of cases) {
      const { page, found } = await find({ text });
      assert.deepEqual(found, expected, text);
      assert.match(page, as, text);
    }
    assert.deepEqual((await find({ text: "quirrel", status: "CLOSED" })).found, ["bert"]);
    assert.deepEqual((await find({ text: "quirrel", group: gold.id })).found, ["ada"]);
    for (const text of ["x".repeat(255), "a\u0000b"]) {
      const response = await inspector.post(PATH, support, { text });
      assert.equal(response.status, 400);
      assert.match(await response.text(), /Cannot search: the text must/);
    }
  });

  await t.step("values are text, and only the page itself has them", async () => {
    const { page } = await find({ text: "ada.quirrel@shop.example" });
    assert.match(page, /<bdi>&lt;b&gt;Ada&lt;\/b&gt; Quirrel<\/bdi>/);
    const addresses = [...page.matchAll(/(?:href|action|data-live)="([^"]*)"|<title>(.*?)<\/title>/g)]
      .map(String);
    assert.ok(addresses.length > 5);
    for (const address of addresses) assert.doesNotMatch(decodeURIComponent(address), /quirrel|5551234/i);
    // deno-lint-ignore no-explicit-any -- protobuf's JSON
    const rows = await world.admin<{ payload: any }[]>`
      select payload from outbox where payload ->> 'action' = 'CUSTOMERS_LISTED' order by seq`;
    const last = rows.at(-1)!.payload;
    assert.deepEqual([last.operation, last.customerIds, last.rows], ["inspectCustomersByText", [ada.id], 1]);
    assert.doesNotMatch(JSON.stringify(rows), /quirrel|shop\.example/i);
  });

  await t.step(
    "other stores find nothing, and a form without the token of the session is refused",
    async () => {
      const stranger = staff(["STORE_MANAGER"], crypto.randomUUID());
      assert.deepEqual(await list("", stranger), []);
      assert.deepEqual(await list(`?group=${gold.id}`, stranger), []);
      for (const text of ["quirrel", ada.id, "+41445551234"]) {
        assert.deepEqual((await find({ text }, stranger)).found, []);
      }
      const { origin } = inspector;
      const cookie = `customer-service-inspector=${await inspector.token(support)}`;
      const body = new URLSearchParams({ text: "quirrel" });
      const forged = await fetch(`${origin}${PATH}`, { method: "POST", body, headers: { cookie, origin } });
      assert.equal(forged.status, 403);
      assert.doesNotMatch(await forged.text(), new RegExp(ada.id));
    },
  );
});

Deno.test("the pages of a list and of a search continue after the last customer", async () => {
  await using inspector = await startInspector();
  const { world, staff } = inspector;
  const support = staff(["CUSTOMER_SUPPORT"]);
  const refs = await mapConcurrently(Array(101).keys(), () => register(world, { lastName: "Many" }));
  const idsOn = (page: string) =>
    [...page.matchAll(/<a class="row-link" href="\/inspect\/customers\/([\w-]+)"/g)].map(([, id]) => id);
  const listed: (string | undefined)[] = [];
  for (let next: string | undefined = PATH; next !== undefined;) {
    const page = await (await inspector.get(next, support)).text();
    listed.push(...idsOn(page));
    next = nextPageOf(page);
    assert.match(next ?? "?after=0", /^\/inspect\/customers\?after=[\w-]+$|^\?after=0$/);
  }
  assert.deepEqual(listed.toSorted(), refs.map(({ id }) => id).toSorted());

  const found: (string | undefined)[] = [];
  let fields: Record<string, string> | undefined = { text: "many" };
  for (let pages = 0; fields && pages < 5; pages++) {
    const page: string = await (await inspector.post(PATH, support, fields)).text();
    found.push(...idsOn(page));
    fields = formsOf(page).find(({ values }) => values.match !== undefined)?.values;
  }
  assert.deepEqual(found, listed);
  const beyond = await (await inspector.get(`${PATH}?after=${crypto.randomUUID()}`, support)).text();
  assert.match(beyond, /There are no further customers/);
});
