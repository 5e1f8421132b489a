/** Start while the database is away: the service waits for it, for DATABASE_WAIT. */
import assert from "node:assert/strict";
import { createDatabase } from "../database.ts";
import { eventually } from "../eventually.ts";
import { portsOf, production, TRUSTING, UNREACHABLE } from "../production.ts";
import { startAndFail, startService } from "../service.ts";
import { startTcpProxy } from "../tcp_proxy.ts";

Deno.test("a start waits for a database that refuses connections, then for one that does not answer", async () => {
  await using database = await createDatabase();
  const port = Number(new URL(database.url).port);
  const reserved = startTcpProxy(0, port);
  const url = Object.assign(new URL(database.url), { port: String(reserved.port) }).href;
  reserved.close();
  await using service = startService({ ...production(url), ...TRUSTING });
  await service.waitForOutput(/Waiting for the database: .*ECONNREFUSED/);
  const proxy = startTcpProxy(reserved.port, port);
  using _proxy = { [Symbol.dispose]: () => proxy.close() };
  proxy.hold(true);
  await service.waitForOutput(/Waiting for the database: .*The server at \S+ does not answer/);
  proxy.hold(false);
  const { http } = await portsOf(service);
  await eventually(async () => {
    const response = await fetch(`http://127.0.0.1:${http}/readyz`);
    assert.deepEqual([response.status, await response.text()], [200, "ready\n"]);
  });
});

Deno.test("a signal ends a start that waits for the database", async () => {
  await using service = startService({
    ...production(`postgres://a:b@${UNREACHABLE}/c`),
    ...TRUSTING,
    DATABASE_WAIT: "1h",
  });
  await service.waitForOutput(/Waiting for the database/);
  const { code, stderr } = await service.stop("SIGTERM");
  assert.equal(code, 1);
  assert.match(stderr, /^Cannot prepare the database: Error: connect ECONNREFUSED/);
});

Deno.test("a start does not wait for a database that refuses the login, and gives up on one that stays away", async () => {
  await using database = await createDatabase();
  const wrong = Object.assign(new URL(database.url), { password: "wrong" }).href;
  using silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const frozen = `postgres://a:b@127.0.0.1:${silent.addr.port}/c`;
  const [refused, away] = await Promise.all([
    startAndFail({ ...production(wrong), ...TRUSTING, DATABASE_WAIT: "1h" }),
    startAndFail({ ...production(frozen), ...TRUSTING, DATABASE_WAIT: "1s" }),
  ]);
  assert.match(refused, /refuses the login/);
  assert.match(away, /^Cannot prepare the database: The server at \S+ does not answer\n$/);
});
