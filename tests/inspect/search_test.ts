/** Search box: by every identifier, for each role, without a personal value in an address or in the audit. */
import assert from "node:assert/strict";
import { reviewErasure } from "../../actors/gdpr/effects/review.ts";
import { verifyErasure } from "../../actors/gdpr/effects/verify.ts";
import type { Principal } from "../../domain/principal.ts";
import { ADDRESS, register, shopper, tell } from "../actors/world.ts";
import { PARTICIPANTS } from "../actors/settings.ts";
import { createRequestFixture } from "../gdpr/request_fixture.ts";
import { describeInterpretation, interpret } from "../../inspect/search/interpret.ts";
import { startInspector } from "./server.ts";

const ADA = {
  email: "Ada.Quirrel@shop.example",
  firstName: "Ada",
  lastName: "Quirrel",
  phone: "+41445551234",
};
const ID = "0190a000-0000-7000-8000-0000deadbeef";

Deno.test("the search box reads every form of an ID, an email, a phone number and a name", () => {
  const cases: [text: string, whole: object, prefix?: object][] = [
    [ID, { id: ID }],
    [` {${ID.toUpperCase()}} `, { id: ID }],
    [`urn:uuid:${ID}`, { id: ID }],
    [ID.replaceAll("-", ""), { id: ID }],
    ["…12345678", { digits: "12345678" }],
    ["...1234ABCD", { digits: "1234abcd", name: "...1234ABCD" }, {
      digits: "1234abcd",
      name: "...1234ABCD",
      emailPrefix: "...1234ABCD",
    }],
    ["12345678", { digits: "12345678" }, { digits: "12345678", emailPrefix: "12345678" }],
    ["ada@shop.example", { email: "ada@shop.example" }, {
      email: "ada@shop.example",
      emailPrefix: "ada@shop.example",
    }],
    ["Ada Q <mailto:ada@shop.example>", { email: "ada@shop.example" }, {
      email: "ada@shop.example",
      emailPrefix: "ada@shop.example",
    }],
    ["ada@münchen.example", { email: "ada@xn--mnchen-3ya.example" }, {
      email: "ada@xn--mnchen-3ya.example",
      emailPrefix: "ada@xn--mnchen-3ya.example",
    }],
    ["ada@sh", {}, { emailPrefix: "ada@sh" }],
    ["a@b@c", {}],
    ["+41 (0)44 555-12.34", { phone: "+41445551234" }],
    ["0041 44 555 12 34", { phone: "+41445551234" }],
    ["044 555 12 34", {}],
    ["Quirrel,  Ada", { name: "Quirrel Ada" }],
    ["Ada", { name: "Ada" }, { name: "Ada", emailPrefix: "Ada" }],
    ["%_\\", {}, { emailPrefix: "%_\\" }],
  ];
  for (const [text, whole, prefix = whole] of cases) {
    assert.deepEqual(interpret(text, false), whole, text);
    assert.deepEqual(interpret(text, true), prefix, text);
  }
  assert.equal(
    describeInterpretation({ digits: "x", name: "x", emailPrefix: "x" }),
    "the last digits of an ID, a name or the beginning of an email address",
  );
});

Deno.test("officers find persons and requests by every identifier, and see values only with a role for it", async (t) => {
  await using inspector = await startInspector();
  const { world, officer, staff } = inspector;
  const fixture = createRequestFixture(world, {
    "source.collect": () => Promise.resolve(undefined as never),
    "erasure.review": reviewErasure,
    "erasure.verify": verifyErasure,
  });
  const manager = staff(["STORE_MANAGER"]);
  const ada = await register(world, ADA);
  const other = await register(world, { firstName: "Adalbert", lastName: "Quirrelli" });
  const request = await fixture.open(ada, "ACCESS");
  await tell(world, ada, "profile.update", { email: "ada.new@shop.example" }, { by: world.staff });
  const subject = { email: "guest@shop.example", phone: null, locale: null };
  const { id: guestRequestId } = await tell(world, { ...request, id: crypto.randomUUID() }, "open", {
    right: "ACCESS",
    subject,
  }, { by: officer });
  const guestRequest = { ...request, id: guestRequestId };
  const guestId = String((await fixture.row(guestRequest)).customerId);
  const erased = await register(world, { email: "gone@shop.example", firstName: "Gone" });
  await tell(world, erased, "address.add", ADDRESS);
  const erasure = await fixture.open(erased, "ERASURE", {}, { by: shopper(erased) });
  await fixture.work();
  for (const service of PARTICIPANTS) await tell(world, erasure, "participant.confirm", { service });
  await fixture.work();
  assert.equal((await fixture.row(erasure)).status, "COMPLETED");
  const [{ sequence } = { sequence: 0 }] = await world.admin`
    select sequence from erasure_receipts where request_id = ${erasure.id}`;

  const search = async (text: string, as: Principal = officer) => {
    const response = await inspector.post("/inspect/search", as, { text });
    const page = await response.text();
    assert.equal(response.status, 200, `${text}: ${page}`);
    const [persons = "", requests = ""] = [...page.matchAll(/<tbody>(.*?)<\/tbody>/gs)].map(([body]) => body);
    const rows = [...persons.matchAll(/<tr>(.*?)<\/tr>/gs)].map(([row]) => row);
    const found = rows.map((row) => ({
      id: /<code>([\w-]+)<\/code>/.exec(row)?.[1],
      by: /data-label="Found by">(.*?)</.exec(row)?.[1],
      account: /data-label="Account">(.*?)<\/td>/s.exec(row)?.[1]?.replaceAll(/<[^>]+>/g, "") ?? "",
    }));
    const requestIds = [...requests.matchAll(/<tr id="request-([\w-]+)"/g)].map(([, id]) => id);
    return { page, found, requestIds };
  };
  const digits = (id: string) => id.slice(-8);
  const cases: [text: string, id: string, by: string, requestId: string | undefined][] = [
    ["ADA.new@shop.example", ada.id, "Email", request.id],
    [ADA.email.toUpperCase(), ada.id, "Earlier email", request.id],
    ["quirrel ada", ada.id, "Name", request.id],
    ["Quirrel", ada.id, "Name", request.id],
    ["0041 44 555 12 34", ada.id, "Phone", request.id],
    [ada.id.toUpperCase(), ada.id, "ID", request.id],
    [request.id, ada.id, "Request ID", request.id],
    [`…${digits(request.id)}`, ada.id, "Request ID", request.id],
    [digits(ada.id), ada.id, "ID", request.id],
    [other.id, other.id, "ID", undefined],
    ["Guest@shop.example", guestId, "Email", guestRequest.id],
    [digits(guestId), guestId, "ID", guestRequest.id],
    ["GONE@shop.example", erased.id, "Email", erasure.id],
    [erasure.id, erased.id, "Request ID", erasure.id],
  ];
  for (const [text, id, by, requestId] of cases) {
    await t.step(`finds by ${by} ${text.length}`, async () => {
      for (const as of [officer, manager]) {
        const { found, requestIds } = await search(text, as);
        const person = found.find((person) => person.id === id);
        assert.equal(person?.by, by, `${text} ${JSON.stringify(found)}`);
        if (as === officer) assert.deepEqual(found.map((person) => person.id), [id], text);
        assert.ok(requestId === undefined ? requestIds.length === 0 : requestIds.includes(requestId), text);
      }
    });
  }

  await t.step("an erased person's email answers with the date and the number of the receipt", async () => {
    const { found: [person], page } = await search("gone@shop.example");
    assert.match(person?.account ?? "", new RegExp(`^Erased on .* UTC, receipt no. ${sequence}$`));
    assert.match(page, new RegExp(`href="/inspect/requests/${erasure.id}"`));
    const { found: [again] } = await search(erased.id);
    assert.equal(again?.account, person?.account);
    assert.match((await search("guest@shop.example")).found[0]?.account ?? "", /^Without an account$/);
  });

  await t.step("a role without values sees none, and finds no person by a beginning", async () => {
    for (const text of ["quirrel ada", "0041 44 555 12 34", ada.id]) {
      const { page } = await search(text);
      const results = page.replace(/<form class="search".*?<\/form>/s, "");
      assert.doesNotMatch(results, /quirrel|ada\.new|5551234|\bada\b/i);
    }
    for (const text of ["Quirr", "ada.n", "ada.new@sh", "Ada Qu", "%", "_da", "Q_irrel", "Quirrel%"]) {
      assert.deepEqual((await search(text)).found, [], text);
    }
    assert.match((await search("Quirr")).page, /only whole names, email addresses and numbers match/);
  });

  await t.step("a role with values sees them, and finds by a beginning", async () => {
    const found = async (text: string) => (await search(text, manager)).found.map(({ id }) => id).toSorted();
    for (const text of ["Quirr", "quirrel ad"]) {
      assert.deepEqual(await found(text), [ada.id, other.id].toSorted());
    }
    assert.deepEqual(await found("ada.new@sh"), [ada.id]);
    assert.deepEqual(await found("%"), []);
    assert.match((await search("Quirrel", manager)).page, /<bdi>Ada Quirrel<\/bdi>.*ada\.new@shop\.example/s);
  });

  await t.step("support finds customers, and neither requests, guests nor earlier emails", async () => {
    const support = staff(["CUSTOMER_SUPPORT"]);
    const hidden = [request.id, digits(request.id), digits(ada.id), guestId, "guest@shop.example", ADA.email];
    for (const text of [...hidden, "gone@shop.example"]) {
      assert.deepEqual((await search(text, support)).found, [], text);
    }
    for (const text of ["ada.new@shop.example", "quirrel ada", "0041 44 555 12 34", ada.id]) {
      const { found, page, requestIds } = await search(text, support);
      assert.ok(found.some(({ id }) => id === ada.id), text);
      assert.deepEqual(requestIds, []);
      assert.doesNotMatch(page, new RegExp(`${request.id}|customer=${ada.id}|Requests`));
    }
    const { found: [person] } = await search(erased.id, support);
    assert.match(person?.account ?? "", /^Erased on .* UTC$/);
  });

  await t.step("a mistyped name finds similar names, for a role that may use beginnings", async () => {
    for (const text of ["Qiurrel", "Quirel", "Quirrrel", "Quirtel", "quirrel aad"]) {
      const { found } = await search(text, manager);
      assert.deepEqual(
        found.map(({ id, by }) => [id, by]),
        text.includes(" ") ? [] : [[ada.id, "Similar name"]],
        text,
      );
      assert.deepEqual((await search(text)).found, [], text);
    }
    for (const text of ["Adalbret Quirrelli", "quirreli adalbert"]) {
      assert.deepEqual((await search(text, manager)).found.map(({ id }) => id), [other.id], text);
    }
    for (const text of ["Tom", "(.*)", "Quirr%%l", "[a-z]+", "Q x y z", "Quirrel".repeat(9)]) {
      assert.deepEqual((await search(text, manager)).found, [], text);
    }
  });

  await t.step("no result names how the text was read, and a wrong text is refused", async () => {
    assert.match((await search("nothing@shop.example")).page, /was searched as an email address/);
    assert.match((await search("044 555 12 34")).page, /with its country code/);
    assert.match((await search(crypto.randomUUID())).page, /was searched as an ID/);
    for (const text of ["", "   ", "x".repeat(255), "a\u0000b"]) {
      const response = await inspector.post("/inspect/search", officer, { text });
      assert.equal(response.status, 400, text);
      assert.match(await response.text(), /Cannot search: the text must/);
    }
  });

  await t.step("neither an address nor the audit has the text, and each search is recorded", async () => {
    const before = await accesses();
    const { page } = await search(ADA.email.toLowerCase());
    await search("nothing@shop.example", manager);
    const addresses = [...page.matchAll(/(?:href|action|data-live)="([^"]*)"|<title>(.*?)<\/title>/g)].map(
      String,
    );
    assert.ok(addresses.length > 5);
    for (const address of addresses) assert.doesNotMatch(address, /shop\.example|quirrel/i);
    const [first, second] = (await accesses()).slice(before.length);
    assert.deepEqual([first?.operation, first?.rows, first?.customerIds], [
      "inspectSearchWithoutValues",
      2,
      [ada.id],
    ]);
    assert.deepEqual([second?.operation, second?.rows], ["inspectSearch", 0]);
    assert.doesNotMatch(JSON.stringify([first, second]), /shop\.example|quirrel/i);
    async function accesses() {
      // deno-lint-ignore no-explicit-any -- protobuf's JSON
      const rows = await world.admin<{ payload: any }[]>`
        select payload from outbox where payload ->> 'action' = 'CUSTOMERS_LISTED' order by seq`;
      return rows.map(({ payload }) => payload);
    }
  });

  await t.step(
    "others find nothing: another store, other roles, customers, services, no session",
    async () => {
      const elsewhere = staff(["STORE_MANAGER"], crypto.randomUUID());
      const texts = [
        "ada.new@shop.example",
        ADA.email,
        "Quirrel",
        ADA.phone,
        ada.id,
        request.id,
        digits(request.id),
        digits(ada.id),
        "guest@shop.example",
        "gone@shop.example",
        erased.id,
      ];
      for (const text of texts) assert.deepEqual((await search(text, elsewhere)).found, [], text);
      for (
        const as of [staff([]), shopper(ada), world.system]
      ) {
        const response = await inspector.post("/inspect/search", as, { text: ADA.email });
        assert.equal(response.status, 403);
        assert.doesNotMatch(await response.text(), new RegExp(ada.id));
      }
      const { origin } = inspector;
      const body = new URLSearchParams({ text: "ada.new@shop.example" });
      const anonymous = await fetch(`${origin}/inspect/search`, {
        method: "POST",
        body,
        headers: { origin },
      });
      assert.equal(anonymous.status, 401);
      assert.doesNotMatch(await anonymous.text(), /ada\.new/);
      const cookie = `customer-service-inspector=${await inspector.token(officer)}`;
      for (const headers of [{ cookie, origin }, { cookie, origin: "https://evil.example" }]) {
        const forged = await fetch(`${origin}/inspect/search`, { method: "POST", body, headers });
        assert.equal(forged.status, 403);
        await forged.body?.cancel();
      }
      const page = await (await inspector.get("/inspect/search?text=ada.new@shop.example", officer)).text();
      assert.doesNotMatch(page, new RegExp(ada.id));
    },
  );
});
