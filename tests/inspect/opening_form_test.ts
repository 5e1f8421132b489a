/** Form on a customer's page that opens a request from outside the account, and the check of the identity. */
import assert from "node:assert/strict";
import { customerRef, register, shopper } from "../actors/world.ts";
import { pageOf, textOf } from "./request_pages.ts";
import { startInspector } from "./server.ts";

Deno.test("an officer opens a request for a letter, with its date, and checks the identity on its page", async () => {
  await using inspector = await startInspector();
  const { world, officer, staff } = inspector;
  const customer = await register(world, { firstName: "Grete" });
  const page = `/inspect/customers/${customer.id}`;
  const open = (fields: Record<string, string>, by = officer) =>
    inspector.post(`${page}/requests`, by, { type: "ACCESS", channel: "LETTER", ...fields });
  const today = new Date().toISOString().slice(0, "2026-01-01".length);

  const shown = await (await inspector.get(page, officer)).text();
  assert.match(textOf(shown), /Open a request/);
  const refused: [Record<string, string>, RegExp][] = [
    [{ receivedAt: "2999-01-01" }, /receivedAt must not be in the future/],
    [{ type: "DELETION" }, /right must be/],
    [{ channel: "ACCOUNT" }, /channel must not be ACCOUNT/],
    [{ name: "Rosa" }, /representative\.ground/],
    [{ note: "Grete called" }, /note must not contain/],
  ];
  for (const [fields, message] of refused) {
    const response = await open(fields);
    const text = await response.text();
    assert.equal(response.status, 400, text);
    assert.match(textOf(text), message);
    for (const value of Object.values(fields)) {
      if (!["DELETION", "ACCOUNT"].includes(value)) {
        assert.ok(text.includes(`value="${value}"`), `${value} is kept`);
      }
    }
  }
  const others = [[staff(["CUSTOMER_SUPPORT"]), 403], [shopper(customer), 403]] as const;
  for (const [by, status] of others) assert.equal((await open({}, by)).status, status);
  const unknown = customerRef(world);
  assert.equal(
    (await inspector.post(`/inspect/customers/${unknown.id}/requests`, officer, {
      type: "ACCESS",
      channel: "LETTER",
    })).status,
    404,
  );
  assert.equal((await world.admin`select 1 from gdpr_requests`).length, 0);

  const opened = await open({
    receivedAt: today,
    note: " two\npages ",
    ground: "GUARDIANSHIP",
    name: "Rosa Example",
    proof: "court order",
  });
  assert.equal(opened.status, 303);
  const path = opened.headers.get("location") ?? "";
  const id = path.split("/").at(-1) ?? "";
  const text = textOf(await pageOf(inspector, id));
  assert.match(text, /Staff have to check the identity of the person/);
  assert.match(text, /by letter/);
  assert.match(text, /Rosa Example as a guardian; court order/);
  assert.match(text, /two pages/);

  const decide = async (action: string, fields: Record<string, string>) => {
    const version = (await pageOf(inspector, id)).match(/name="version" value="(\d+)"/)?.[1] ?? "";
    const answer = await inspector.post(path, officer, { action, version, confirmed: "yes", ...fields });
    assert.equal(answer.status, 303, await answer.text());
    return textOf(await (await inspector.get(answer.headers.get("location") ?? "", officer)).text());
  };
  assert.match(
    await decide("information.request", { reason: "the signature differs" }),
    /the clock is paused since .*: .*the signature differs/,
  );
  const overview = textOf(await (await inspector.get("/inspect?identity=unverified", officer)).text());
  assert.match(overview, /1\s*To identify/);
  assert.match(overview, /Paused since/);
  await decide("information.receive", {});
  assert.match(await decide("identity.fail", { reason: "no answer" }), /1 check failed, of at most 3/);
  const verified = await decide("identity.verify", { method: "ID_DOCUMENT", reference: "ticket 4711" });
  assert.match(verified, /You confirmed the identity\./);
  assert.match(verified, /showed an identity document; checked on .*; ticket 4711/);
});

Deno.test("an officer opens a request of a person without an account, whose contact only some staff see", async () => {
  await using inspector = await startInspector();
  const { world, officer, staff } = inspector;
  const path = "/inspect/open";
  const person = { email: "guest@example.com", phone: "+442079460444", locale: "de" };
  const fields = { type: "ACCESS", channel: "LETTER", ...person };
  assert.match(
    textOf(await (await inspector.get("/inspect", officer)).text()),
    /a person without an account/,
  );
  assert.match(textOf(await (await inspector.get(path, officer)).text()), /Email address/);

  const refused = await inspector.post(path, officer, { ...fields, phone: "020 7946" });
  const text = await refused.text();
  assert.equal(refused.status, 400);
  assert.match(textOf(text), /phone must be a phone number/);
  assert.ok(text.includes('value="guest@example.com"'), "the email is kept");
  for (const by of [staff(["CUSTOMER_SUPPORT"]), shopper(customerRef(world))]) {
    assert.equal((await inspector.post(path, by, fields)).status, 403);
  }

  const opened = await inspector.post(path, officer, fields);
  assert.equal(opened.status, 303);
  const request = opened.headers.get("location") ?? "";
  const seenBy = async (by = officer) => textOf(await (await inspector.get(request, by)).text());
  const hidden = await seenBy();
  assert.match(hidden, /Person without an account/);
  assert.doesNotMatch(hidden, /guest@example\.com/, "a privacy officer reads no values");
  assert.match(await seenBy(staff(["STORE_MANAGER"])), /Contact\s*guest@example\.com, \+442079460444, de/);
  const operations = await world.admin`
    select payload ->> 'operation' as operation from outbox where payload ->> 'action' = 'GDPR_REQUEST_READ'
    order by seq`;
  assert.deepEqual(operations.map(({ operation }) => operation), [
    "inspectRequest",
    "inspectRequestWithContact",
  ]);
  const list = await (await inspector.get("/inspect", officer)).text();
  assert.match(textOf(list), /without an account/);
  assert.doesNotMatch(list, /guest@example/);
});
