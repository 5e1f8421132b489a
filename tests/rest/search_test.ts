/** Search of customers: filters, stable pages, cursors, authorization and timeouts. */
import assert from "node:assert/strict";
import type { Principal } from "../../domain/principal.ts";
import { createGroup, register, shopper, tell } from "../actors/world.ts";
import { captureLog } from "../captured_log.ts";
import { startRest, type TestRest } from "./server.ts";

const DAY = 24 * 60 * 60 * 1_000;

/** Starts REST with customers who were registered on successive days of the fixture's clock. */
async function startWithCustomers() {
  let now = new Date("2026-03-01T12:00:00Z");
  const rest = await startRest({ clock: () => now });
  const ids = new Map<string, string>();
  const add = async (name: string, fields: Record<string, unknown>) => {
    const ref = await register(rest.world, fields);
    ids.set(name, ref.id);
    now = new Date(now.getTime() + DAY);
    return ref;
  };
  const grace = await add("grace", {
    email: "Grace.Hopper@example.com",
    firstName: "Grace Brewster",
    lastName: "Hopper",
  });
  await add("graham", { email: "graham@example.com", firstName: "Graham", lastName: "Bell" });
  const ada = await add("ada", { email: "ada_l@example.org", firstName: "Ada", lastName: "Lovelace" });
  await add("adam", { email: "adaml@example.org", firstName: null, lastName: "Ödön" });
  const gone = await add("gone", { email: "gone@example.com", firstName: "Grace", lastName: "Gone" });
  const group = await createGroup(rest.world);
  for (const ref of [grace, ada, gone]) await tell(rest.world, ref, "group.assign", { groupId: group.id });
  await tell(rest.world, ada, "account.suspend");
  await tell(rest.world, gone, "erase", { requestId: crypto.randomUUID() });
  const names = new Map([...ids].map(([name, id]) => [id, name]));
  const nameOf = (body: { items: { customerId: string }[] }) =>
    body.items.map(({ customerId }) => names.get(customerId) ?? customerId);
  return Object.assign(rest, { group, nameOf });
}

const ask = (rest: TestRest, as: Principal | undefined, query: Record<string, string> = {}) =>
  rest.call("GET", `/customers?${new URLSearchParams(query)}`, as ? { as } : {});

Deno.test("every filter matches the same customers by URL and by body, newest first", async (t) => {
  await using rest = await startWithCustomers();
  const as = rest.staff(["CUSTOMER_SUPPORT"]);
  const cases: [query: Record<string, string>, found: string[]][] = [
    [{}, ["gone", "adam", "ada", "graham", "grace"]],
    [{ email: "GRACE.hopper@EXAMPLE.com" }, ["grace"]],
    [{ email: "unknown@example.com" }, []],
    [{ emailPrefix: "GRA" }, ["graham", "grace"]],
    [{ emailPrefix: "ada_" }, ["ada"]],
    [{ emailPrefix: "%" }, []],
    [{ emailPrefix: "gra\\" }, []],
    [{ namePrefix: "gra" }, ["graham", "grace"]],
    [{ namePrefix: "grace ho" }, ["grace"]],
    [{ namePrefix: "  HOPPER   gr " }, ["grace"]],
    [{ namePrefix: "grace brewster h" }, ["grace"]],
    [{ namePrefix: "brewster" }, []],
    [{ namePrefix: "grace bell" }, []],
    [{ namePrefix: "öd" }, ["adam"]],
    [{ namePrefix: "ÖDÖN" }, ["adam"]],
    [{ namePrefix: "_da" }, []],
    [{ status: "SUSPENDED" }, ["ada"]],
    [{ status: "CLOSED" }, ["gone"]],
    [{ status: "CLOSED", anonymized: "false" }, []],
    [{ anonymized: "true" }, ["gone"]],
    [{ anonymized: "false", status: "ACTIVE" }, ["adam", "graham", "grace"]],
    [{ createdFrom: "2026-03-02T12:00:00Z", createdTo: "2026-03-04T12:00:00Z" }, ["ada", "graham"]],
    [{ createdFrom: "2026-03-04T13:00:00+01:00" }, ["gone", "adam"]],
    [{ createdFrom: "0000-01-01T00:00:00Z", createdTo: "9999-12-31T23:59:59-12:00", status: "SUSPENDED" }, [
      "ada",
    ]],
    [{ groupId: rest.group.id.toUpperCase(), status: "ACTIVE" }, ["grace"]],
    [{ groupId: rest.group.id, namePrefix: "ada", createdTo: "2026-03-04T00:00:00Z" }, ["ada"]],
    [{ groupId: crypto.randomUUID() }, []],
  ];
  for (const [query, found] of cases) {
    await t.step(JSON.stringify(query), async () => {
      const byUrl = await ask(rest, as, query);
      assert.deepEqual([byUrl.status, byUrl.body.nextCursor], [200, null], byUrl.text);
      assert.deepEqual(rest.nameOf(byUrl.body), found);
      const { anonymized, ...body } = query;
      const byBody = await rest.call("POST", "/customers/search", {
        as,
        body: { ...body, ...(anonymized ? { anonymized: anonymized === "true" } : {}) },
      });
      assert.deepEqual([byBody.status, byBody.body], [200, byUrl.body]);
    });
  }

  await t.step("a search result equals a read of the customer", async () => {
    const { body } = await ask(rest, as, { email: "graham@example.com" });
    const alone = await rest.call("GET", `/customers/${body.items[0].customerId}`, { as });
    assert.deepEqual(body.items, [alone.body]);
  });

  await t.step("the members of a group are ordered by descending ID", async () => {
    const { body } = await ask(rest, as, { groupId: rest.group.id });
    const ids = body.items.map((item: { customerId: string }) => item.customerId);
    assert.deepEqual(ids, ids.toSorted().reverse());
    assert.deepEqual(rest.nameOf(body).sort(), ["ada", "grace"]);
  });
});

Deno.test("the customers of a store that have changed in a time are listed, searched and exported", async () => {
  await using rest = await startRest();
  const { system: as } = rest.world;
  const [ada, grace] = [await register(rest.world), await register(rest.world)];
  const patched = await rest.call("PATCH", `/customers/${ada.id}`, { as, body: { firstName: "Augusta" } });
  const at: string = patched.body.updatedAt;
  const cases: [query: Record<string, string>, found: string[]][] = [
    [{ updatedFrom: at }, [ada.id]],
    [{ updatedTo: at }, [grace.id]],
    [{ updatedFrom: at, updatedTo: at }, []],
    [{ updatedFrom: "2000-01-01T00:00:00Z", createdTo: at }, [grace.id, ada.id]],
  ];
  const elsewhere = { ...as, storeId: crypto.randomUUID() };
  for (const [query, found] of cases) {
    const byUrl = await ask(rest, as, query);
    const idsOf = (items: { customerId: string }[]) => items.map(({ customerId }) => customerId);
    assert.deepEqual(idsOf(byUrl.body.items), found, JSON.stringify(query));
    const byBody = await rest.call("POST", "/customers/search", { as, body: query });
    assert.deepEqual(byBody.body, byUrl.body);
    const exported = await rest.call("GET", `/customers/export?${new URLSearchParams(query)}`, { as });
    assert.equal(exported.text.split("\n").length - 1, found.length);
    assert.deepEqual((await ask(rest, elsewhere, query)).body.items, []);
  }
  const first = await ask(rest, as, { updatedFrom: "2000-01-01T00:00:00Z", limit: "1" });
  const { nextCursor: cursor } = first.body;
  const next = await ask(rest, as, { updatedFrom: "2000-01-01T00:00:00Z", limit: "1", cursor });
  assert.deepEqual(next.body.items[0].customerId, ada.id);
  assert.equal((await ask(rest, as, { updatedFrom: at, cursor })).status, 400, "a cursor of another filter");
  assert.equal((await ask(rest, as, { updatedFrom: "yesterday" })).status, 400);
});

Deno.test("pages neither repeat nor skip customers while others are registered", async (t) => {
  await using rest = await startRest({ clock: () => new Date("2026-03-01T12:00:00Z") });
  const as = rest.staff(["CUSTOMER_MANAGER"]);
  const group = await createGroup(rest.world);
  const add = async () => {
    const ref = await register(rest.world, { lastName: "Potoroo" });
    await tell(rest.world, ref, "group.assign", { groupId: group.id });
    return ref.id;
  };
  const filters: Record<string, string>[] = [{}, { namePrefix: "poto" }, { groupId: group.id }];
  for (const filter of filters) {
    await t.step(JSON.stringify(filter), async () => {
      const before = new Set(await Promise.all(Array.from({ length: 5 }, add)));
      const seen: string[] = [];
      for (let cursor: string | null = ""; cursor !== null;) {
        const { status, body } = await ask(rest, as, { ...filter, limit: "2", ...(cursor && { cursor }) });
        assert.equal(status, 200);
        assert.ok(body.items.length <= 2);
        seen.push(...body.items.map((item: { customerId: string }) => item.customerId));
        cursor = body.nextCursor;
        await add();
      }
      assert.equal(new Set(seen).size, seen.length, "no customer twice");
      assert.deepEqual([...before.difference(new Set(seen))], [], "no customer missing");
    });
  }
});

Deno.test("a cursor does not reveal its filter to someone who guesses it", async () => {
  const [storeId, ids] = [crypto.randomUUID(), [crypto.randomUUID(), crypto.randomUUID()]];
  const cursors = await Promise.all([1, 2].map(async () => {
    const algorithm = { name: "HMAC", hash: "SHA-256" };
    const bytes = crypto.getRandomValues(new Uint8Array(32));
    const hashKey = await crypto.subtle.importKey("raw", bytes, algorithm, false, ["sign"]);
    await using rest = await startRest({ limits: { hashKey } });
    const as = { ...rest.world.system, storeId };
    for (const customerId of ids) {
      const body = { customerId, email: `${customerId}@example.com`, firstName: "Mina" };
      assert.equal((await rest.call("POST", "/customers", { as, body })).status, 201);
    }
    const { body } = await ask(rest, as, { namePrefix: "mina", limit: "1" });
    return new TextDecoder().decode(Uint8Array.fromBase64(body.nextCursor, { alphabet: "base64url" }));
  }));
  assert.ok(cursors.every((cursor) => cursor.includes(ids[1]!)));
  assert.notEqual(cursors[0], cursors[1]);
});

Deno.test("a cursor is valid only for its filter and its store", async () => {
  await using rest = await startRest();
  const as = rest.staff(["CUSTOMER_MANAGER"]);
  for (let at = 0; at < 3; at++) await register(rest.world, { lastName: "Potoroo" });
  const first = await ask(rest, as, { limit: "1", namePrefix: "p" });
  const cursor = first.body.nextCursor;
  assert.equal((await ask(rest, as, { limit: "2", namePrefix: "p", cursor })).body.items.length, 2);
  const elsewhere = rest.staff(["CUSTOMER_MANAGER"], crypto.randomUUID());
  const wrong: [Principal, Record<string, string>][] = [
    [as, { cursor }],
    [as, { namePrefix: "po", cursor }],
    [as, { namePrefix: "p", status: "ACTIVE", cursor }],
    [as, { namePrefix: "p", cursor: cursor.slice(0, -4) }],
    [as, { namePrefix: "p", cursor: "!" }],
    [elsewhere, { namePrefix: "p", cursor }],
  ];
  for (const [as, query] of wrong) {
    const { status, body } = await ask(rest, as, query);
    assert.deepEqual([status, body.code, body.message], [
      400,
      "INVALID_INPUT",
      "Cannot accept the cursor: it does not belong to this list and filter",
    ]);
  }
});

Deno.test("the Link header leads to the next page, and is absent if it would contain a name or an email", async () => {
  await using rest = await startRest();
  const as = rest.staff(["CUSTOMER_MANAGER"]);
  for (let at = 0; at < 3; at++) await register(rest.world, { lastName: "Potoroo" });
  const first = await ask(rest, as, { limit: "2", status: "ACTIVE" });
  const [, path] = first.headers.get("link")?.match(/^<(\/customers\?[^>]+)>; rel="next"$/) ?? [];
  assert.ok(path, first.headers.get("link") ?? "no link");
  const second = await rest.call("GET", path, { as });
  assert.deepEqual([second.body.items.length, second.headers.get("link")], [1, null]);
  assert.notDeepEqual(second.body.items[0], first.body.items[0]);
  for (const query of [{ namePrefix: "pot" }, { emailPrefix: "e" }] as Record<string, string>[]) {
    assert.equal((await ask(rest, as, { ...query, limit: "1" })).headers.get("link"), null);
  }
  const { body } = await ask(rest, as, { namePrefix: "potoroo", limit: "1" });
  const opaque = atob(body.nextCursor.replaceAll("-", "+").replaceAll("_", "/"));
  assert.doesNotMatch(opaque, /poto/i);
});

Deno.test("two stores with the same email do not see each other's customers", async () => {
  await using rest = await startRest();
  const storeId = crypto.randomUUID();
  const system = { ...rest.world.system, storeId };
  const other = { ...rest.world, storeId, system };
  const [ours, theirs] = [
    await register(rest.world, { email: "both@example.com", lastName: "Both" }),
    await register(other, { email: "BOTH@example.com", lastName: "Both" }),
  ];
  const theirGroup = await createGroup(other);
  await tell(other, theirs, "group.assign", { groupId: theirGroup.id });
  for (const [as, id] of [[rest.world.system, ours.id], [system, theirs.id]] as const) {
    for (const query of [{}, { email: "both@example.com" }, { emailPrefix: "bo" }, { namePrefix: "both" }]) {
      const { body } = await ask(rest, as, query as Record<string, string>);
      assert.deepEqual(body.items.map((item: { customerId: string }) => item.customerId), [id]);
    }
  }
  assert.deepEqual((await ask(rest, rest.world.system, { groupId: theirGroup.id })).body.items, []);
});

Deno.test("unknown and invalid parameters are refused by name, and their values are not repeated", async () => {
  await using rest = await startRest();
  await using logged = await captureLog();
  const as = rest.staff(["CUSTOMER_SUPPORT"]);
  const refused = async (query: Record<string, string>, words: RegExp) => {
    const { status, body, text } = await ask(rest, as, query);
    assert.deepEqual([status, body.code], [400, "INVALID_INPUT"], text);
    assert.match(body.message, words);
    assert.doesNotMatch(text, /numbat/i);
  };
  await refused({ nickname: "numbat" }, /nickname is not known/);
  await refused({ mail: "numbat@example.com", lastName: "x" }, /mail, lastName is not known/);
  await refused({ email: "numbat" }, /email must be an email address/);
  await refused({ emailPrefix: " " }, /emailPrefix must not be empty/);
  await refused({ namePrefix: "numbat\u0000" }, /namePrefix must not contain control characters/);
  await refused({ namePrefix: "a b c d e f g h numbat" }, /namePrefix must have at most 8 words/);
  await refused({ status: "numbat" }, /status must be ACTIVE, SUSPENDED or CLOSED/);
  await refused({ groupId: "numbat" }, /groupId must be a UUID/);
  await refused({ createdFrom: "2026-03-01" }, /createdFrom must be a date and time/);
  await refused({ anonymized: "numbat" }, /anonymized must be false or true/);
  await refused({ limit: "101" }, /limit/);
  await refused({ limit: "0" }, /limit/);
  const { status, body } = await rest.call("POST", "/customers/search", {
    as,
    body: { numbat: 1, email: 7 },
  });
  assert.deepEqual([status, body.code], [400, "INVALID_INPUT"]);
  assert.match(body.message, /email must be of type string; numbat is not known/);
  await ask(rest, as, { email: "numbat@example.com" });
  assert.doesNotMatch(logged.lines.join("\n"), /numbat/i);
});

Deno.test("support and managers search, and all other callers are refused", async () => {
  await using rest = await startRest();
  const ref = await register(rest.world);
  const statuses = async (as?: Principal) => [
    (await ask(rest, as)).status,
    (await rest.call("POST", "/customers/search", { body: {}, ...(as && { as }) })).status,
  ];
  assert.deepEqual(await statuses(), [401, 401]);
  assert.deepEqual(await statuses(shopper(ref)), [403, 403]);
  assert.deepEqual(await statuses(rest.staff([])), [403, 403]);
  assert.deepEqual(await statuses(rest.staff(["PRIVACY_OFFICER"])), [403, 403]);
  assert.deepEqual(await statuses(rest.staff(["CUSTOMER_SUPPORT"])), [200, 200]);
  assert.deepEqual(await statuses(rest.staff(["CUSTOMER_MANAGER"])), [200, 200]);
  assert.deepEqual(await statuses(rest.staff(["STORE_MANAGER"])), [200, 200]);
  assert.deepEqual(await statuses(rest.world.system), [200, 200]);
  const elsewhere = await ask(rest, rest.staff(["STORE_MANAGER"], crypto.randomUUID()));
  assert.deepEqual([elsewhere.status, elsewhere.body.items], [200, []]);
});

Deno.test("a search that takes too long is refused with a message, and its statement is canceled", async () => {
  await using rest = await startRest();
  const as = rest.staff(["CUSTOMER_SUPPORT"]);
  await rest.world.admin.begin(async (tx) => {
    await tx`lock table customers in access exclusive mode`;
    const { status, body } = await ask(rest, as, { namePrefix: "a" });
    assert.deepEqual([status, body.code, body.message], [
      503,
      "UNAVAILABLE",
      "Cannot search customers within 4 seconds: narrow the filter",
    ]);
    const [row] = await tx`
      select count(*)::int as count from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'`;
    assert.equal(row?.count, 0);
  });
  assert.equal((await ask(rest, as, { namePrefix: "a" })).status, 200);
});

Deno.test("the search function returns only the store of its transaction, and only to its role", async () => {
  await using rest = await startRest();
  await register(rest.world);
  const api = rest.world.database.pool("customer_api", 1);
  assert.equal((await api`select * from search_customers('{}', null, 10)`).length, 0);
  for (const role of ["customer_reader", "customer_worker"] as const) {
    const sql = rest.world.database.pool(role, 1);
    await assert.rejects(sql`select * from search_customers('{}', null, 10)`, { code: "42501" });
  }
  for (const role of ["customer_api", "customer_worker"] as const) {
    const sql = rest.world.database.pool(role, 1);
    await assert.rejects(sql`select * from lookup_customer_ids('{}', '{}')`, { code: "42501" });
  }
});
