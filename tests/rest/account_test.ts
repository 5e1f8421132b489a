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
