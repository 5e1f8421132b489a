/** Account routes: suspend, reinstate and close. */
import assert from "node:assert/strict";
import { register, tell } from "../actors/world.ts";
import { statusesFor, WRITERS } from "./callers.ts";
import { startRest } from "./server.ts";

/** Commands that each state accepts, with the next state. */
const TRANSITIONS: Record<string, Record<string, string>> = {
  ACTIVE: { suspend: "SUSPENDED", close: "CLOSED" },
  SUSPENDED: { reinstate: "ACTIVE", close: "CLOSED" },
  CLOSED: { reinstate: "ACTIVE" },
};
/** Commands that lead to each state. */
const PATHS: Record<string, string[]> = { ACTIVE: [], SUSPENDED: ["suspend"], CLOSED: ["close"] };
const COMMANDS = ["suspend", "reinstate", "close"];

Deno.test("an account accepts the commands of its state and refuses all others", async () => {
  await using rest = await startRest();
  const as = rest.staff(["CUSTOMER_MANAGER"]);
  for (const [state, transitions] of Object.entries(TRANSITIONS)) {
    for (const command of COMMANDS) {
      const ref = await register(rest.world);
      const path = `/customers/${ref.id}`;
      for (const step of PATHS[state] ?? []) await tell(rest.world, ref, `account.${step}`);
      const before = await rest.call("GET", path, { as });
      assert.equal(before.body.status, state);
      const reply = await rest.call("POST", `${path}/${command}`, { as });
      const after = await rest.call("GET", path, { as });
      if (transitions[command]) {
        assert.deepEqual([reply.status, reply.body], [200, after.body], `${command} while ${state}`);
        assert.deepEqual([after.body.status, after.body.version], [
          transitions[command],
          before.body.version + 1,
        ]);
        assert.equal(reply.headers.get("etag"), `"${after.body.version}"`);
      } else {
        assert.deepEqual([reply.status, reply.body.code], [409, "REFUSED_IN_STATE"]);
        assert.deepEqual(after.body, before.body);
      }
    }
  }
});

Deno.test("an account command honors If-Match, and is applied once per idempotency key", async () => {
  await using rest = await startRest();
  const as = rest.staff(["CUSTOMER_MANAGER"]);
  const { id } = await register(rest.world);
  const path = `/customers/${id}/suspend`;
  const stale = await rest.call("POST", path, { as, headers: { "if-match": '"7"' } });
  assert.deepEqual([stale.status, stale.body.code], [412, "CONFLICT"]);
  const headers = { "if-match": '"1"', "idempotency-key": "fraud 1" };
  const first = await rest.call("POST", path, { as, headers });
  const again = await rest.call("POST", path, { as, headers });
  assert.deepEqual([first.status, again.status, again.body], [200, 200, first.body]);
  assert.equal(again.body.version, 2);
  assert.equal((await rest.call("POST", `/customers/${id}/close`, { as, headers })).status, 400);
});

Deno.test("erased and unknown customers refuse every account command", async () => {
  await using rest = await startRest();
  const as = rest.staff(["STORE_MANAGER"]);
  const ref = await register(rest.world);
  await tell(rest.world, ref, "erase", { requestId: crypto.randomUUID() });
  for (const command of COMMANDS) {
    assert.equal((await rest.call("POST", `/customers/${ref.id}/${command}`, { as })).status, 409);
    assert.equal(
      (await rest.call("POST", `/customers/${crypto.randomUUID()}/${command}`, { as })).status,
      404,
    );
    assert.equal((await rest.call("POST", `/customers/7/${command}`, { as })).status, 400);
  }
});

Deno.test("only managers and services change an account", async () => {
  await using rest = await startRest();
  for (const command of COMMANDS) {
    const statuses = await statusesFor(rest, crypto.randomUUID(), async (by) => {
      const ref = await register(rest.world);
      if (command === "reinstate") await tell(rest.world, ref, "account.suspend");
      return await rest.call("POST", `/customers/${ref.id}/${command}`, by);
    });
    assert.deepEqual(statuses, WRITERS());
  }
});

Deno.test("PATCH changes the status like the commands, with the other fields in one change or not at all", async () => {
  await using rest = await startRest();
  const as = rest.staff(["CUSTOMER_MANAGER"]);
  const TARGETS: Record<string, string> = { ACTIVE: "reinstate", SUSPENDED: "suspend", CLOSED: "close" };
  for (const [state, transitions] of Object.entries(TRANSITIONS)) {
    for (const [status, command] of Object.entries(TARGETS)) {
      const ref = await register(rest.world);
      for (const step of PATHS[state] ?? []) await tell(rest.world, ref, `account.${step}`);
      const path = `/customers/${ref.id}`;
      const before = (await rest.call("GET", path, { as })).body;
      const reply = await rest.call("PATCH", path, {
        as,
        body: { status, firstName: "Augusta", customerId: ref.id },
      });
      const after = (await rest.call("GET", path, { as })).body;
      if (status === state || transitions[command]) {
        assert.deepEqual([reply.status, reply.body], [200, after], `${state} to ${status}`);
        assert.deepEqual([after.status, after.firstName, after.version], [
          status,
          "Augusta",
          before.version + 1,
        ]);
      } else {
        assert.deepEqual([reply.status, reply.body.code], [409, "REFUSED_IN_STATE"], `${state} to ${status}`);
        assert.deepEqual(after, before);
      }
    }
  }
  const { id } = await register(rest.world);
  const same = await rest.call("PATCH", `/customers/${id}`, { as, body: { status: "ACTIVE" } });
  assert.deepEqual([same.status, same.body.version], [200, 1]);
  const [events] = await rest.world.admin<[{ all: number; both: number }]>`
    select count(*)::int as all, count(*) filter (where payload -> 'changedFields' = '["status", "firstName"]')::int as both
    from outbox where topic = 'customer.updated'`;
  assert.ok(events.both > 0 && events.both < events.all, "one event names the status and the profile");
});

Deno.test("PATCH refuses an unknown status, the customerId of another customer, and nothing to change", async () => {
  await using rest = await startRest();
  const as = rest.staff(["CUSTOMER_MANAGER"]);
  const { id } = await register(rest.world);
  const bodies: [body: unknown, message: RegExp, fields: string[]][] = [
    [{ status: "DELETED" }, /status must be ACTIVE, SUSPENDED or CLOSED/, ["status"]],
    [{ status: null }, /status must be/, ["status"]],
    [{ customerId: crypto.randomUUID(), firstName: "Ada" }, /customerId must be/, ["customerId"]],
    [{ customerId: id }, /must have at least one of the fields name, email/, []],
    [{}, /must have at least one of the fields/, []],
    ["", /must have a JSON body/, []],
    [{ version: 1 }, /version is not known/, ["version"]],
  ];
  for (const [body, message, fields] of bodies) {
    const reply = await rest.call("PATCH", `/customers/${id}`, { as, body });
    assert.deepEqual([reply.status, reply.body.code], [400, "INVALID_INPUT"], JSON.stringify(body));
    assert.match(reply.body.message, message);
    assert.deepEqual((reply.body.details ?? []).map(({ field }: { field: string }) => field), fields);
  }
  assert.equal(
    (await rest.call("PATCH", `/customers/${id}`, {
      as: rest.staff(["CUSTOMER_SUPPORT"]),
      body: {
        status: "CLOSED",
      },
    })).status,
    403,
  );
  const elsewhere = rest.staff(["CUSTOMER_MANAGER"], crypto.randomUUID());
  assert.equal(
    (await rest.call("PATCH", `/customers/${id}`, { as: elsewhere, body: { status: "CLOSED" } })).status,
    404,
  );
});

Deno.test("the reason of an account command is in the journal only, and an erasure removes it", async () => {
  await using rest = await startRest();
  const as = rest.staff(["CUSTOMER_MANAGER"]);
  const ref = await register(rest.world);
  const reasonOf = async () =>
    (await rest.world.admin`select reason from actor_events where actor_id = ${ref.id} order by sequence`)
      .map(({ reason }) => reason);
  for (
    const [command, body] of Object.entries({
      suspend: { reason: "Three chargebacks" },
      reinstate: { reason: " " },
      close: undefined,
    })
  ) {
    assert.equal(
      (await rest.call("POST", `/customers/${ref.id}/${command}`, { as, body })).status,
      200,
      command,
    );
  }
  assert.deepEqual(await reasonOf(), [null, "Three chargebacks", null, null]);
  const messages = await rest.world.admin`select payload::text as text from outbox`;
  assert.ok(messages.length > 0);
  for (const { text } of messages) assert.doesNotMatch(text, /chargebacks/);
  for (
    const body of [{ reason: 7 }, { reason: "x".repeat(501) }, { why: "Fraud" }, [], "x"]
  ) {
    const reply = await rest.call("POST", `/customers/${ref.id}/reinstate`, { as, body });
    assert.deepEqual([reply.status, reply.body.code], [400, "INVALID_INPUT"], JSON.stringify(body));
  }
  await tell(rest.world, ref, "erase", { requestId: crypto.randomUUID() });
  assert.deepEqual(await reasonOf(), [null, null, null, null, null]);
});
