/** Profile routes: identity-service and staff register, read and update customers. */
import assert from "node:assert/strict";
import { register, shopper } from "../actors/world.ts";
import { startRest } from "./server.ts";

const GRACE = {
  email: "grace@example.com",
  name: "Grace Brewster Hopper",
  phone: "+41445551234",
  locale: "de-ch",
};

Deno.test("a service registers a customer with an ID that it has chosen, and reads the customer", async () => {
  await using rest = await startRest();
  const { system: as } = rest.world;
  const customerId = crypto.randomUUID();
  const created = await rest.call("POST", "/customers", { as, body: { ...GRACE, customerId } });
  assert.equal(created.status, 201);
  assert.equal(created.headers.get("location"), `/customers/${customerId}`);
  assert.equal(created.headers.get("etag"), '"1"');
  const { registeredAt, updatedAt, ...profile } = created.body;
  assert.deepEqual(profile, {
    customerId,
    email: GRACE.email,
    name: GRACE.name,
    firstName: "Grace Brewster",
    lastName: "Hopper",
    phone: GRACE.phone,
    locale: "de-CH",
    status: "ACTIVE",
    version: 1,
    anonymizedAt: null,
  });
  assert.equal(registeredAt, updatedAt);
  const read = await rest.call("GET", `/customers/${customerId}`, { as });
  assert.deepEqual([read.status, read.body], [200, created.body]);
});

Deno.test("explicit names take precedence over `name`, and a single word is a last name", async () => {
  await using rest = await startRest();
  const { system: as } = rest.world;
  const both = await rest.call("POST", "/customers", {
    as,
    body: { email: "a@example.com", name: "Ada King Lovelace", firstName: "Augusta Ada" },
  });
  assert.deepEqual([both.body.firstName, both.body.lastName], ["Augusta Ada", "Lovelace"]);
  const one = await rest.call("POST", "/customers", { as, body: { email: "b@example.com", name: "Cher" } });
  assert.deepEqual([one.body.firstName, one.body.lastName, one.body.name], [null, "Cher", "Cher"]);
});

Deno.test("unknown fields are refused by name, and a password with a reference to identity-service", async () => {
  await using rest = await startRest();
  const { system: as } = rest.world;
  const wrong = await rest.call("POST", "/customers", {
    as,
    body: { email: "no", nickname: "x", locale: "!" },
  });
  assert.equal(wrong.status, 400);
  assert.equal(
    wrong.body.message,
    "Cannot accept the request POST /customers: email must be an email address; " +
      "locale must be a BCP 47 language tag of at most 35 characters; nickname is not known",
  );
  const body = { ...GRACE, password: "hunter2", nickname: "x" };
  const password = await rest.call("POST", "/customers", { as, body });
  assert.deepEqual([password.status, password.body.code], [400, "INVALID_INPUT"]);
  assert.match(password.body.message, /nickname is not known; password .* identity-service/);
  assert.doesNotMatch(password.text, /hunter2/);
});

Deno.test("malformed JSON and other content types are refused with a message", async () => {
  await using rest = await startRest();
  const { system: as } = rest.world;
  const broken = await rest.call("POST", "/customers", { as, body: "{" });
  assert.deepEqual([broken.status, broken.body.code], [400, "INVALID_INPUT"]);
  const headers = { "content-type": "text/plain" };
  const text = await rest.call("POST", "/customers", { as, body: "email=x", headers });
  assert.deepEqual([text.status, text.body.code], [415, "INVALID_INPUT"]);
  assert.match(text.body.message, /its content-type must be application\/json$/);
});

Deno.test("unknown paths and methods are refused in the common error format", async () => {
  await using rest = await startRest();
  const { system: as } = rest.world;
  const unknown = [
    `/customers/${as.id}/nope`,
    `/customers/${as.id}/`,
    "/customers//",
    "/nope",
    "/nope/mina@example.com",
  ];
  for (const path of unknown) {
    const { status, body } = await rest.call("GET", path, { as });
    const message = "Cannot find anything under this path";
    assert.deepEqual([status, body], [404, { code: "NOT_FOUND", message, traceId: body.traceId }], path);
    assert.match(body.traceId, /^[0-9a-f]{32}$/);
  }
  const known: [path: string, methods: string][] = [
    ["/customers", "GET, HEAD, POST, OPTIONS"],
    [`/customers/${as.id}`, "GET, HEAD, PATCH, OPTIONS"],
    ["/customers/search", "POST, OPTIONS"],
    ["/customers/bulk", "POST, OPTIONS"],
    ["/customers/export", "GET, HEAD, OPTIONS"],
    ["/customers/%65xport", "GET, HEAD, OPTIONS"],
    [`/groups/${as.id}`, "GET, HEAD, PATCH, DELETE, OPTIONS"],
    [`/gdpr-requests/${as.id}/cancel`, "POST, OPTIONS"],
  ];
  for (const [path, allow] of known) {
    const refused = ["PUT", "PATCH", "GET", "DELETE"].filter((method) => !allow.includes(method));
    for (const method of refused) {
      const { status, body, headers } = await rest.call(method, path, { as });
      assert.deepEqual([status, body.code, headers.get("allow")], [405, "INVALID_INPUT", allow], path);
      assert.equal((await rest.call(method, path)).status, 401, path);
    }
    const options = await rest.call("OPTIONS", path, { as });
    assert.deepEqual([options.status, options.text, options.headers.get("allow")], [204, "", allow], path);
    assert.equal((await rest.call("OPTIONS", path)).status, 401, path);
  }
});

Deno.test("an email is unique within a store, and independent of other stores", async () => {
  await using rest = await startRest();
  const { system: as } = rest.world;
  assert.equal((await rest.call("POST", "/customers", { as, body: GRACE })).status, 201);
  const again = await rest.call("POST", "/customers", { as, body: { ...GRACE, email: "GRACE@example.com" } });
  assert.deepEqual([again.status, again.body.code], [409, "ALREADY_EXISTS"]);
  const elsewhere = { ...as, storeId: crypto.randomUUID() };
  const other = await rest.call("POST", "/customers", { as: elsewhere, body: GRACE });
  assert.equal(other.status, 201);
  assert.equal((await rest.call("GET", `/customers/${other.body.customerId}`, { as })).status, 404);
});

Deno.test("a registration is applied once per idempotency key, and a different one with the key is refused", async () => {
  await using rest = await startRest();
  const { system: as } = rest.world;
  const headers = { "idempotency-key": "sign-up 1" };
  const first = await rest.call("POST", "/customers", { as, body: GRACE, headers });
  const second = await rest.call("POST", "/customers", { as, body: GRACE, headers });
  assert.deepEqual([second.status, second.body], [201, first.body]);
  const other = await rest.call("POST", "/customers", { as, body: { email: "x@example.com" }, headers });
  assert.deepEqual([other.status, other.body.code], [400, "INVALID_INPUT"]);
  const elsewhere = { ...as, storeId: crypto.randomUUID() };
  assert.equal((await rest.call("POST", "/customers", { as: elsewhere, body: GRACE, headers })).status, 201);
});

Deno.test("an update honors If-Match, and a read honors If-None-Match", async () => {
  await using rest = await startRest();
  const as = rest.staff(["CUSTOMER_MANAGER"]);
  const { id } = await register(rest.world, { firstName: "Ada" });
  const path = `/customers/${id}`;
  const patch = (body: unknown, ifMatch: string) =>
    rest.call("PATCH", path, { as, body, headers: { "if-match": ifMatch } });
  const changed = await patch({ firstName: null, locale: "fr" }, '"1"');
  assert.deepEqual([changed.status, changed.headers.get("etag")], [200, '"2"']);
  assert.deepEqual([changed.body.firstName, changed.body.locale, changed.body.version], [null, "fr", 2]);
  const stale = await patch({ locale: "it" }, '"1"');
  assert.deepEqual([stale.status, stale.body.code], [412, "CONFLICT"]);
  for (
    const tags of [
      "W/7",
      "7",
      'W/"2"',
      '"abc"',
      '"1", "3"',
      '"1, 2"',
      'W/"2", "1"',
      "",
      '"02"',
      '"2',
      '"1", *',
    ]
  ) {
    const refused = await patch({ locale: "it" }, tags);
    assert.deepEqual([refused.status, refused.body.code], [412, "CONFLICT"], tags);
  }
  assert.equal((await patch({ locale: "it" }, "*")).status, 200);
  assert.equal((await patch({ locale: "de" }, '"1", W/"9","3"')).status, 200);
  assert.equal((await patch({ locale: "it" }, '"4"')).status, 200);
  const notModified = await rest.call("GET", path, { as, headers: { "if-none-match": 'W/"5", "x"' } });
  assert.deepEqual([notModified.status, notModified.text], [304, ""]);
  const other = await rest.call("GET", path, { as, headers: { "if-none-match": '"4", "x, 5"' } });
  assert.equal(other.status, 200);
});

Deno.test("only services choose the ID, only managers and services write, and shoppers are refused", async () => {
  await using rest = await startRest();
  const ref = await register(rest.world);
  const path = `/customers/${ref.id}`;
  const statuses = async (as?: Parameters<typeof rest.call>[2]) => [
    (await rest.call("POST", "/customers", { ...as, body: { email: `${crypto.randomUUID()}@example.com` } }))
      .status,
    (await rest.call("GET", path, as)).status,
    (await rest.call("PATCH", path, { ...as, body: { locale: "de" } })).status,
  ];
  assert.deepEqual(await statuses(), [401, 401, 401]);
  assert.deepEqual(await statuses({ as: shopper(ref) }), [403, 403, 403]);
  assert.deepEqual(await statuses({ as: rest.staff([]) }), [403, 403, 403]);
  assert.deepEqual(await statuses({ as: rest.staff(["PRIVACY_OFFICER"]) }), [403, 403, 403]);
  assert.deepEqual(await statuses({ as: rest.staff(["CUSTOMER_SUPPORT"]) }), [403, 200, 403]);
  assert.deepEqual(await statuses({ as: rest.staff(["CUSTOMER_MANAGER"]) }), [201, 200, 200]);
  assert.deepEqual(await statuses({ as: rest.staff(["STORE_MANAGER"]) }), [201, 200, 200]);
  assert.deepEqual(await statuses({ as: rest.staff(["STORE_MANAGER"], crypto.randomUUID()) }), [
    201,
    404,
    404,
  ]);
  const body = { email: "x@example.com", customerId: crypto.randomUUID() };
  const chosen = await rest.call("POST", "/customers", { as: rest.staff(["CUSTOMER_MANAGER"]), body });
  assert.deepEqual([chosen.status, chosen.body.code], [403, "FORBIDDEN"]);
});
