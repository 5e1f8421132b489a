/** Address routes: the address book of a customer. */
import assert from "node:assert/strict";
import { ADDRESS, register, tell } from "../actors/world.ts";
import { READERS, statusesFor, WRITERS } from "./callers.ts";
import { startRest, type TestRest } from "./server.ts";

const DEFAULTS = {
  ...ADDRESS,
  line2: null,
  state: null,
  isDefaultShipping: false,
  isDefaultBilling: false,
};

async function arrange(rest: TestRest) {
  const { id } = await register(rest.world);
  return { as: rest.staff(["CUSTOMER_MANAGER"]), id, path: `/customers/${id}/addresses` };
}

Deno.test("an address is added, read, listed, updated and deleted, with the customer's version as its ETag", async () => {
  await using rest = await startRest();
  const { as, path } = await arrange(rest);
  const added = await rest.call("POST", path, { as, body: ADDRESS });
  const { addressId } = added.body;
  assert.deepEqual([added.status, added.body], [201, { addressId, ...DEFAULTS }]);
  assert.equal(added.headers.get("location"), `${path}/${addressId}`);
  assert.equal(added.headers.get("etag"), '"2"');

  const one = `${path}/${addressId}`;
  const read = await rest.call("GET", one, { as });
  assert.deepEqual([read.status, read.body, read.headers.get("etag")], [200, added.body, '"2"']);
  const notModified = await rest.call("GET", one, { as, headers: { "if-none-match": '"2"' } });
  assert.deepEqual([notModified.status, notModified.text], [304, ""]);

  const body = { city: "Bern", postalCode: null, line2: "c/o Hopper", isDefaultShipping: true };
  const changed = await rest.call("PATCH", one, { as, body });
  assert.deepEqual([changed.status, changed.headers.get("etag")], [200, '"3"']);
  assert.deepEqual(changed.body, { addressId, ...DEFAULTS, ...body });
  const list = await rest.call("GET", path, { as });
  assert.deepEqual([list.status, list.body, list.headers.get("etag")], [
    200,
    { items: [changed.body] },
    '"3"',
  ]);
  const unchanged = await rest.call("PATCH", one, { as, body: { city: "Bern" } });
  assert.deepEqual([unchanged.body, unchanged.headers.get("etag")], [changed.body, '"3"']);

  const deleted = await rest.call("DELETE", one, { as });
  assert.deepEqual([deleted.status, deleted.text, deleted.headers.get("etag")], [204, "", '"4"']);
  for (const method of ["GET", "DELETE"]) assert.equal((await rest.call(method, one, { as })).status, 404);
  assert.deepEqual((await rest.call("GET", path, { as })).body, { items: [] });
});

Deno.test("a new default address replaces the previous one, and the list is oldest first", async () => {
  await using rest = await startRest();
  const { as, path } = await arrange(rest);
  const add = async (line1: string) =>
    (await rest.call("POST", path, {
      as,
      body: { ...ADDRESS, line1, isDefaultBilling: true, isDefaultShipping: line1 === "1" },
    })).body.addressId;
  const ids = [await add("1"), await add("2"), await add("3")];
  const { items } = (await rest.call("GET", path, { as })).body;
  assert.deepEqual(
    items.map((item: typeof DEFAULTS & { addressId: string }) => [
      item.addressId,
      item.isDefaultShipping,
      item.isDefaultBilling,
    ]),
    [[ids[0], true, false], [ids[1], false, false], [ids[2], false, true]],
  );
});

Deno.test("a change of the address book honors If-Match, and is applied once per idempotency key", async () => {
  await using rest = await startRest();
  const { as, id, path } = await arrange(rest);
  const headers = { "idempotency-key": "move 1", "if-match": '"1"' };
  const first = await rest.call("POST", path, { as, body: ADDRESS, headers });
  const again = await rest.call("POST", path, { as, body: ADDRESS, headers });
  assert.deepEqual([again.status, again.body], [201, first.body]);
  assert.equal((await rest.call("GET", path, { as })).body.items.length, 1);
  const other = await rest.call("POST", path, { as, body: { ...ADDRESS, city: "Bern" }, headers });
  assert.deepEqual([other.status, other.body.code], [400, "INVALID_INPUT"]);

  const one = `${path}/${first.body.addressId}`;
  const stale = { as, headers: { "if-match": '"1"' } };
  for (
    const reply of [
      await rest.call("POST", path, { ...stale, body: ADDRESS }),
      await rest.call("PATCH", one, { ...stale, body: { city: "Bern" } }),
      await rest.call("DELETE", one, stale),
    ]
  ) assert.deepEqual([reply.status, reply.body.code], [412, "CONFLICT"]);
  assert.equal((await rest.call("GET", `/customers/${id}`, { as })).body.version, 2);
  assert.equal((await rest.call("DELETE", one, { as, headers: { "if-match": '"2"' } })).status, 204);
});

Deno.test("invalid address fields are refused by name, and their values are not repeated", async () => {
  await using rest = await startRest();
  const { as, path } = await arrange(rest);
  const reply = await rest.call("POST", path, {
    as,
    body: { ...ADDRESS, country: "ch", line1: "Geheimgasse \u0007", floor: 3, addressId: path },
  });
  assert.deepEqual([reply.status, reply.body.code], [400, "INVALID_INPUT"]);
  for (const field of ["line1", "country", "floor", "addressId"]) {
    assert.ok(reply.body.message.includes(field), field);
  }
  assert.ok(!reply.text.includes("Geheimgasse"));
  const { addressId } = (await rest.call("POST", path, { as, body: ADDRESS })).body;
  for (const body of [{ line1: null }, { city: "" }, { country: null }, { addressId }, [], "{"]) {
    const { status } = await rest.call("PATCH", `${path}/${addressId}`, { as, body });
    assert.equal(status, 400, JSON.stringify(body));
  }
  assert.equal((await rest.call("GET", `${path}/7`, { as })).status, 400);
});

Deno.test("an address is found only under its own customer", async () => {
  await using rest = await startRest();
  const { as, path } = await arrange(rest);
  const { addressId } = (await rest.call("POST", path, { as, body: ADDRESS })).body;
  const other = (await arrange(rest)).path;
  assert.deepEqual(
    [
      (await rest.call("GET", `${other}/${addressId}`, { as })).status,
      (await rest.call("PATCH", `${other}/${addressId}`, { as, body: { city: "Bern" } })).status,
      (await rest.call("DELETE", `${other}/${addressId}`, { as })).status,
      (await rest.call("GET", `/customers/${crypto.randomUUID()}/addresses`, { as })).status,
      (await rest.call("POST", `/customers/${crypto.randomUUID()}/addresses`, { as, body: ADDRESS })).status,
    ],
    [404, 404, 404, 404, 404],
  );
  assert.equal((await rest.call("GET", `${path}/${addressId}`, { as })).body.city, ADDRESS.city);
});

Deno.test("a suspended customer refuses new addresses, and an erased customer has no addresses and refuses changes", async () => {
  await using rest = await startRest();
  const { as, id, path } = await arrange(rest);
  const { addressId } = (await rest.call("POST", path, { as, body: ADDRESS })).body;
  const ref = { kind: "customer", storeId: rest.world.storeId, id } as const;
  await tell(rest.world, ref, "account.suspend");
  assert.equal((await rest.call("POST", path, { as, body: ADDRESS })).body.code, "REFUSED_IN_STATE");
  assert.equal(
    (await rest.call("PATCH", `${path}/${addressId}`, { as, body: { city: "Bern" } })).status,
    200,
  );
  await tell(rest.world, ref, "erase", { requestId: crypto.randomUUID() });
  assert.deepEqual((await rest.call("GET", path, { as })).body, { items: [] });
  assert.equal((await rest.call("GET", `${path}/${addressId}`, { as })).status, 404);
  assert.equal((await rest.call("POST", path, { as, body: ADDRESS })).status, 409);
  assert.equal((await rest.call("DELETE", `${path}/${addressId}`, { as })).status, 409);
});

Deno.test("support reads addresses, managers change them, and all other callers are refused", async () => {
  await using rest = await startRest();
  const { as, id, path } = await arrange(rest);
  const { addressId } = (await rest.call("POST", path, { as, body: ADDRESS })).body;
  const one = `${path}/${addressId}`;
  const add = async () => (await rest.call("POST", path, { as, body: ADDRESS })).body.addressId;
  const every = (call: Parameters<typeof statusesFor>[2]) => statusesFor(rest, id, call);
  assert.deepEqual(await every((by) => rest.call("GET", path, by)), READERS());
  assert.deepEqual(await every((by) => rest.call("GET", one, by)), READERS());
  assert.deepEqual(await every((by) => rest.call("POST", path, { ...by, body: ADDRESS })), WRITERS(201));
  assert.deepEqual(
    await every((by) => rest.call("PATCH", one, { ...by, body: { city: "Bern" } })),
    WRITERS(),
  );
  assert.deepEqual(
    await every(async (by) => rest.call("DELETE", `${path}/${await add()}`, by)),
    WRITERS(204),
  );
});
