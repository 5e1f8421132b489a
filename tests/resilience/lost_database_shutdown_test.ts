/** SIGTERM while the database is away: the process ends in time, with exit code 0, and everything that it says is in the log. */
import assert from "node:assert/strict";
import { createDatabase } from "../database.ts";
import { portsOf, production, TRUSTING } from "../production.ts";
import { startService } from "../service.ts";
import { startTcpProxy, type TcpProxy } from "../tcp_proxy.ts";
import { clientOf } from "./staff_client.ts";

const OUTAGES: Record<string, (proxy: TcpProxy) => void> = {
  "refuses connections": (proxy) => proxy.close(),
  "does not answer": (proxy) => proxy.hold(true),
};

for (const [what, begin] of Object.entries(OUTAGES)) {
  Deno.test(`a shutdown while PostgreSQL ${what} is in order`, async () => {
    await using database = await createDatabase();
    const url = new URL(database.url);
    const proxy = startTcpProxy(0, Number(url.port));
    using _proxy = { [Symbol.dispose]: () => proxy.close() };
    url.port = String(proxy.port);
    await using service = startService({ ...production(url.href), ...TRUSTING });
    assert.equal(await clientOf((await portsOf(service)).http).register(), "201");
    begin(proxy);
    const signaledAt = Date.now();
    const { code, stderr, output } = await service.stop("SIGTERM");
    assert.deepEqual([code, stderr], [0, ""]);
    assert.ok(Date.now() - signaledAt < 20_000);
    for (const line of output.trim().split("\n")) assert.ok(JSON.parse(line).level, line);
  });
}
