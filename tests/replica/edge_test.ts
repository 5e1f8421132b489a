/** An edge as a process, next to a real hot standby; and what must not run on a standby. */
import assert from "node:assert/strict";
import { openPool } from "../../db/connect.ts";
import { startRelay } from "../../events/relay.ts";
import { captureLog } from "../captured_log.ts";
import { event, insertEvents } from "../events/outbox.ts";
import { eventually } from "../eventually.ts";
import { MESH, PLATFORM, portsOf, production, TRUSTING } from "../production.ts";
import { startPrimary, startStandby } from "../replication.ts";
import { arrangeCustomer } from "../rpc/arrange.ts";
import { asked, connect } from "../rpc/client.ts";
import { startAndFail, startService } from "../service.ts";
import { startTcpProxy } from "../tcp_proxy.ts";
import postgres from "postgres";

const EDGE = {
  DENO_ENV: "production",
  ROLES: "edge",
  BIND: "127.0.0.1",
  SHUTDOWN_DELAY: "0s",
  GRPC_AUTH: "mesh",
  ...PLATFORM,
};

Deno.test("an edge serves lookups from a standby, and nothing publishes or claims there", async (t) => {
  await using stack = new AsyncDisposableStack();
  const primary = await startPrimary(stack);
  const admin = postgres(primary.adminUrl, { max: 1, onnotice: () => {} });
  stack.defer(() => admin.end());
  const customer = await arrangeCustomer(admin, { groups: [{ name: "wholesale" }] });
  const api = openPool(primary.url, "customer_api", 1);
  stack.defer(() => api.end());
  await insertEvents(api, [event("customer.created", customer.storeId, customer.customerId)]);
  const standby = await startStandby(primary, stack);
  const request = { ...asked(customer), min_version: 1, min_membership_version: 1 };

  await t.step("an edge with a primary serves GetCustomerGroups only", async () => {
    const way = startTcpProxy(0, standby.port);
    using _way = { [Symbol.dispose]: () => way.close() };
    const readUrl = Object.assign(new URL(standby.url), { port: String(way.port) }).href;
    await using edge = startService({ ...EDGE, DATABASE_URL: primary.url, DATABASE_READ_URL: readUrl });
    const { http, grpc } = await portsOf(edge);
    using client = connect(grpc);
    const groups = async () => {
      const { status, response } = await client.groups(request, { metadata: MESH });
      return [status, response?.memberships[0]?.name];
    };
    assert.deepEqual(await groups(), ["OK", "wholesale"]);
    assert.equal((await client.groups(request)).status, "UNAUTHENTICATED");
    const others = {
      GetCustomerSnapshot: asked(customer),
      ConfirmErasure: {},
      GetNotice: {},
      ConfirmNotice: {},
    };
    for (const [method, message] of Object.entries(others)) {
      assert.equal((await client.call(method, message, { metadata: MESH })).status, "UNIMPLEMENTED", method);
    }
    const get = async (path: string) => {
      const response = await fetch(`http://127.0.0.1:${http}${path}`);
      return [response.status, (await response.text()).trim()];
    };
    assert.deepEqual(await get("/readyz"), [200, "ready"]);
    assert.deepEqual(await get("/healthz"), [200, "alive"]);
    assert.equal((await get("/customers"))[0], 404);
    assert.equal(await client.health(), "SERVING");

    way.close(); // the primary answers, and the edge stays ready
    assert.deepEqual(await groups(), ["OK", "wholesale"]);
    assert.deepEqual(await get("/readyz"), [200, "ready"]);
    const { code, stderr, output } = await edge.stop("SIGTERM");
    assert.deepEqual([code, stderr], [0, ""]);
    assert.match(output, /The replica answers no lookups, the primary does/);
  });

  await t.step("an edge without a primary is ready while it knows the age of the replica", async () => {
    await using edge = startService({ ...EDGE, DATABASE_READ_URL: standby.url, DATABASE_READ_MAX_LAG: "1s" });
    const { http, grpc } = await portsOf(edge);
    using client = connect(grpc);
    const readyz = async () => {
      const response = await fetch(`http://127.0.0.1:${http}/readyz`);
      await response.body?.cancel();
      return response.status;
    };
    await eventually(async () => assert.equal(await readyz(), 503)); // nothing is written
    assert.equal((await client.groups(request, { metadata: MESH })).status, "UNAVAILABLE");
    await eventually(async () => {
      await admin`update customers set updated_at = now()`;
      const { status } = await client.groups(request, { metadata: MESH });
      assert.deepEqual([status, await readyz()], ["OK", 200]);
    });
    assert.equal(
      (await client.groups({ ...request, min_version: 2 }, { metadata: MESH })).status,
      "UNAVAILABLE",
    );
  });

  await t.step("the complete service does not start on a standby, and waits as long as it may", async () => {
    const env = { ...production(standby.url), ...TRUSTING, DATABASE_WAIT: "1s" };
    const stderr = await startAndFail(env);
    assert.match(
      stderr,
      /^Cannot prepare the database: The server at \S+ accepts no changes: it is a standby/,
    );
  });

  await t.step("a relay whose session turns out to be on a standby publishes nothing", async () => {
    await using log = await captureLog();
    const sql = openPool(standby.url, "customer_worker", 2, { acceptsReplica: true });
    let published = 0;
    const sink = {
      publish: () => Promise.resolve((published++, [])),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
    const relay = startRelay(sql, sink, { pollMs: 20 });
    await eventually(() =>
      assert.match(log.lines.join("\n"), /Events wait in the outbox.*accepts no changes/)
    );
    await relay[Symbol.asyncDispose]();
    await sql.end();
    assert.equal(published, 0);
    const [row] = await admin`select count(*)::int as waiting from outbox where published_at is null`;
    assert.equal(row?.waiting, 1);
  });
});
