/** Text in every script: found in any case and encoding, unique as a reader sees it, and refused if it shows nothing. */
import assert from "node:assert/strict";
import { register } from "../actors/world.ts";
import { startRest, type TestRest } from "./server.ts";

const manager = (rest: TestRest) => rest.staff(["CUSTOMER_MANAGER"]);
const PRICE_LIST = { priceListId: crypto.randomUUID(), priority: 1 };

Deno.test("a name is found in any case, however its letters are encoded", async () => {
  await using rest = await startRest();
  const as = manager(rest);
  const cases: [lastName: string, searches: string[]][] = [
    ["Mu\u0308ller", ["Müller", "mu\u0308l", "MÜLLER"]],
    ["ΣΊΣΥΦΟΣ", ["σίσυφος", "σίσυφοσ", "Σίσυφος", "σίσυ"]],
    ["Παπαδόπουλος", ["ΠΑΠΑΔΌΠΟΥΛΟΣ"]],
    ["weiß", ["WEISS", "weiss", "WEIẞ"]],
    ["İnan", ["inan", "İNAN"]],
    ["IŞIK", ["ışık"]],
    ["山田\u3000太郎", ["山田 太郎"]],
  ];
  for (const [lastName, searches] of cases) {
    const { body } = await rest.call("POST", "/customers", {
      as,
      body: { email: `${crypto.randomUUID()}@example.com`, lastName },
    });
    assert.equal(body.lastName, lastName.normalize("NFC"));
    for (const namePrefix of searches) {
      for (
        const found of [
          await rest.call("GET", `/customers?${new URLSearchParams({ namePrefix })}`, { as }),
          await rest.call("POST", "/customers/search", { as, body: { namePrefix } }),
        ]
      ) {
        assert.equal(found.status, 200);
        assert.deepEqual(found.body.items.map((item: { customerId: string }) => item.customerId), [
          body.customerId,
        ], namePrefix);
      }
    }
    const elsewhere = rest.staff(["STORE_MANAGER"], crypto.randomUUID());
    const other = await rest.call("POST", "/customers/search", {
      as: elsewhere,
      body: { namePrefix: lastName },
    });
    assert.deepEqual(other.body.items, []);
  }
});

Deno.test("a group's name is unique as a reader sees it", async () => {
  await using rest = await startRest();
  const as = manager(rest);
  const create = (name: string) => rest.call("POST", "/groups", { as, body: { ...PRICE_LIST, name } });
  const names: [name: string, twins: string[]][] = [
    ["Händler", ["Ha\u0308ndler", "HÄNDLER", "Händler\u200b", "\u2067Händler\u2069"]],
    ["VIP", ["vip", "V\u00adIP", "VIP\u3164"]],
    ["Gold VIP", ["gold  vip", "GOLD\u00a0VIP"]],
    ["ΠΕΛΆΤΕΣ", ["πελάτες"]],
  ];
  for (const [name, twins] of names) {
    const made = await create(name);
    assert.deepEqual([made.status, made.body.name], [201, name]);
    for (const twin of twins) {
      const refused = await create(twin);
      assert.deepEqual([refused.status, refused.body.code], [409, "ALREADY_EXISTS"], twin);
    }
    const found = await rest.call("GET", `/groups?${new URLSearchParams({ namePrefix: twins[0]! })}`, { as });
    assert.deepEqual(found.body.items.map((group: { name: string }) => group.name), [name]);
    const path = `/groups/${made.body.groupId}`;
    assert.equal((await rest.call("PATCH", path, { as, body: { name: name.toLowerCase() } })).status, 200);
  }
});

Deno.test("what shows nothing is refused wherever a name or a reason is demanded", async () => {
  await using rest = await startRest();
  const as = manager(rest);
  const ref = await register(rest.world);
  const path = `/customers/${ref.id}`;
  const address = { line1: "Bahnhofstrasse 1", city: "Zürich", country: "CH" };
  for (
    const nothing of ["\u3164", "\u2800", "\u115f\u1160", "\u17b4", "\uffa0", "\u{e0041}", "\u202e", "\u0301"]
  ) {
    const calls: [string, string, Record<string, unknown>][] = [
      ["POST", "/customers", { email: "a@example.com", firstName: nothing }],
      ["POST", "/customers", { email: "a@example.com", name: nothing }],
      ["POST", "/customers", { email: "a@example.com", name: `Ada ${nothing}` }],
      ["PATCH", path, { lastName: nothing }],
      ["POST", `${path}/addresses`, { ...address, line1: nothing }],
      ["POST", `${path}/addresses`, { ...address, line2: nothing }],
      ["POST", "/groups", { ...PRICE_LIST, name: nothing }],
      ["POST", "/customers/search", { namePrefix: nothing }],
    ];
    for (const [method, to, body] of calls) {
      const reply = await rest.call(method, to, { as, body });
      assert.deepEqual([reply.status, reply.body.code], [400, "INVALID_INPUT"], `${method} ${to}`);
      assert.match(reply.body.message, /visible character/);
    }
  }
});

Deno.test("a blank optional field has no value, on creation and on change, in every format", async () => {
  await using rest = await startRest();
  const as = manager(rest);
  const blank = { firstName: "", lastName: "  ", phone: "", locale: " " };
  const { body: made } = await rest.call("POST", "/customers", {
    as,
    body: { email: "a@example.com", ...blank },
  });
  assert.deepEqual([made.firstName, made.lastName, made.phone, made.locale], [null, null, null, null]);
  const full = { firstName: "Ada", lastName: "Lovelace", phone: "+41445551234", locale: "de-CH" };
  const path = `/customers/${made.customerId}`;
  const set = await rest.call("PATCH", path, { as, body: full });
  assert.deepEqual({ ...set.body, ...full }, set.body);
  const cleared = await rest.call("PATCH", path, { as, body: blank });
  assert.deepEqual({
    ...cleared.body,
    name: null,
    firstName: null,
    lastName: null,
    phone: null,
    locale: null,
  }, cleared.body);
  for (const email of ["", " "]) {
    const reply = await rest.call("PATCH", path, { as, body: { email } });
    assert.match(reply.body.message, /email must not be empty/);
  }

  const whole = await rest.call("POST", "/customers", {
    as,
    body: { email: "b@example.com", name: "Ada Lovelace", ...blank },
  });
  assert.deepEqual(
    [whole.body.firstName, whole.body.lastName],
    ["Ada", "Lovelace"],
    "blank parts give way to name",
  );

  const address = {
    line1: "1 Nathan Road",
    line2: "",
    city: "Hong Kong",
    state: " ",
    country: "HK",
    postalCode: "",
  };
  const added = await rest.call("POST", `${path}/addresses`, { as, body: address });
  assert.deepEqual([added.status, added.body.line2, added.body.state, added.body.postalCode], [
    201,
    null,
    null,
    null,
  ]);
  const one = `${path}/addresses/${added.body.addressId}`;
  await rest.call("PATCH", one, { as, body: { postalCode: "999077", country: "XK" } });
  const changed = await rest.call("PATCH", one, { as, body: { postalCode: "" } });
  assert.deepEqual([changed.body.postalCode, changed.body.country], [null, "XK"]);
  assert.equal((await rest.call("PATCH", one, { as, body: { line1: "" } })).status, 400);

  await rest.call("PATCH", path, { as, body: full });
  const csv = "email,firstName,lastName,phone,locale\na@example.com,,  ,\t,";
  const bulk = await rest.call("POST", "/customers/bulk", {
    as,
    body: csv,
    headers: { "content-type": "text/csv" },
  });
  assert.equal(JSON.parse(bulk.text.trim()).result, "UNCHANGED", "an empty cell says nothing");
});

Deno.test("an email is one email in each of its spellings, on every way in", async () => {
  await using rest = await startRest();
  const as = manager(rest);
  const made = await rest.call("POST", "/customers", { as, body: { email: "Info@MÜNCHEN.example" } });
  assert.deepEqual([made.status, made.body.email], [201, "Info@xn--mnchen-3ya.example"]);
  const twin = await rest.call("POST", "/customers", { as, body: { email: "info@mu\u0308nchen.example" } });
  assert.deepEqual([twin.status, twin.body.code], [409, "ALREADY_EXISTS"]);
  for (const email of ["INFO@münchen.example", "info@xn--mnchen-3ya.EXAMPLE"]) {
    const found = await rest.call("POST", "/customers/search", { as, body: { email } });
    assert.equal(found.body.items[0]?.customerId, made.body.customerId, email);
    const row = JSON.stringify({ email, firstName: "Ida" });
    const bulk = await rest.call("POST", "/customers/bulk", {
      as,
      body: row,
      headers: { "content-type": "application/x-ndjson" },
    });
    assert.equal(JSON.parse(bulk.text.trim()).customerId, made.body.customerId);
  }
});

Deno.test("a second DELETE is NOT_FOUND, whatever was deleted", async () => {
  await using rest = await startRest();
  const as = manager(rest);
  const customer = `/customers/${(await register(rest.world)).id}`;
  const address = { line1: "Bahnhofstrasse 1", city: "Zürich", country: "CH" };
  const added = await rest.call("POST", `${customer}/addresses`, { as, body: address });
  const group = await rest.call("POST", "/groups", { as, body: { ...PRICE_LIST, name: "Gold" } });
  await rest.call("PUT", `${customer}/groups/${group.body.groupId}`, { as });
  const paths = [
    `${customer}/addresses/${added.body.addressId}`,
    `${customer}/groups/${group.body.groupId}`,
    `/groups/${group.body.groupId}`,
  ];
  for (const path of paths) {
    const headers = { "idempotency-key": `delete ${path}` };
    const elsewhere = rest.staff(["STORE_MANAGER"], crypto.randomUUID());
    assert.equal((await rest.call("DELETE", path, { as: elsewhere })).status, 404);
    assert.equal((await rest.call("DELETE", path, { as: rest.staff(["CUSTOMER_SUPPORT"]) })).status, 403);
    const deleted = await rest.call("DELETE", path, { as, headers });
    assert.deepEqual([deleted.status, deleted.text], [204, ""], path);
    assert.match(deleted.headers.get("etag") ?? "", /^"\d+"$/);
    const again = await rest.call("DELETE", path, { as });
    assert.deepEqual([again.status, again.body.code], [404, "NOT_FOUND"], path);
    assert.equal((await rest.call("DELETE", path, { as, headers })).status, 204, "repeated under its key");
  }
});
