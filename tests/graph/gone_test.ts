/** Callers who have disconnected: work that has not started for them does not start. */
import assert from "node:assert/strict";
import { eventually } from "../eventually.ts";
import { bearer, JSON_BODY, registerShopper, startGraph } from "./server.ts";

Deno.test("a change does not run if its caller disconnects before its turn", async () => {
  await using graph = await startGraph();
  const { as } = await registerShopper(graph.world);
  const headersOf = async (shopper: typeof as) => ({
    ...JSON_BODY,
    authorization: await bearer(graph.issuer, shopper),
  });
  const headers = await headersOf(as);
  const change = (name: string, signal?: AbortSignal, by = headers) =>
    fetch(graph.url, {
      method: "POST",
      headers: by,
      body: JSON.stringify({
        query: `mutation { updateProfile(input: { firstName: "${name}" }) { customer { version } } }`,
      }),
      signal: signal ?? null,
    });
  const others = await Promise.all(Array.from({ length: 8 }, async () => {
    const { as } = await registerShopper(graph.world);
    return await headersOf(as);
  }));
  const leaving = new AbortController();
  const { underWay } = await graph.world.admin.begin(async (tx) => {
    await tx`select from customers for update`;
    const underWay = others.map((by, at) => change(`name ${at}`, undefined, by)); // all connections of the pool
    await eventually(async () => {
      const waiting = await graph.world.admin`select from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock'`;
      assert.equal(waiting.length, 8);
    });
    const gone = change("absent", leaving.signal);
    await graph.ask("{ __typename }"); // the server has received it by now
    leaving.abort();
    await assert.rejects(gone, { name: "AbortError" });
    await graph.ask("{ __typename }");
    return { underWay };
  });
  for (const answer of await Promise.all(underWay)) {
    assert.ok((await answer.json()).data.updateProfile.customer.version);
  }
  const last = await change("last");
  assert.deepEqual(await last.json(), { data: { updateProfile: { customer: { version: 2 } } } });
  const [row] = await graph.world
    .admin`select count(*)::int as count from actor_events where event_type = 'profile.update'`;
  assert.equal(row?.count, 9);
});
