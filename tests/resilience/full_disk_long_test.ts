/** A real full disk: PostgreSQL on a small file system in memory. Requires root on Linux. */
import assert from "node:assert/strict";
import postgres from "postgres";
import { bootstrap } from "../../db/bootstrap.ts";
import { startEmbedded } from "../../db/embedded.ts";
import { eventually } from "../eventually.ts";
import { portsOf, production, TRUSTING } from "../production.ts";
import { startService, temporaryFolder } from "../service.ts";
import { clientOf } from "./staff_client.ts";

const canMount = Deno.build.os === "linux" && Deno.uid() === 0;

Deno.test({
  name: "PostgreSQL runs out of space and gets some again: nothing accepted is lost, readiness follows",
  ignore: !canMount,
  async fn() {
    await using stack = new AsyncDisposableStack();
    const folder = stack.use(await temporaryFolder());
    await run("mount", "-t", "tmpfs", "-o", "size=600m,mode=0711", "tmpfs", folder.path);
    stack.defer(() => run("umount", folder.path));
    const settings = { fsync: "off", max_wal_size: "64MB", min_wal_size: "32MB", checkpoint_timeout: "30s" };
    const server = stack.use(await startEmbedded(folder.path, { settings }));
    const url = await bootstrap(server.adminUrl, "customers", "test");
    const service = stack.use(startService({ ...production(url), ...TRUSTING }));
    const client = clientOf((await portsOf(service)).http);
    assert.equal(await client.register(), "201");

    // The write-ahead log has segments of its own, so only new pages of tables find no space.
    const filler = `${server.folder}/filler`;
    await fill(filler);
    const answers: string[] = [];
    await eventually(async () => {
      answers.push(await client.register());
      assert.equal(await client.readyz(), 503);
    }, 300_000);
    assert.deepEqual([...new Set(answers)].sort(), ["201", "503 UNAVAILABLE"]);

    await Deno.remove(filler);
    const freedAt = Date.now();
    await eventually(async () => assert.equal(await client.readyz(), 200));
    assert.equal(await client.register(), "201");
    assert.ok(Date.now() - freedAt < 10_000);
    const admin = postgres(Object.assign(new URL(server.adminUrl), { pathname: "/customers" }).href, {
      max: 1,
    });
    const [row] = await admin`select count(*)::int as customers from customers`;
    await admin.end();
    assert.equal(row?.customers, answers.filter((answer) => answer === "201").length + 2);
    const { code, stderr } = await service.stop("SIGTERM");
    assert.deepEqual([code, stderr], [0, ""]);
  },
});

async function run(program: string, ...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(program, { args }).output();
  if (!success) throw new Error(`${program}: ${new TextDecoder().decode(stderr)}`);
}

/** Writes until the file system is full. */
async function fill(path: string): Promise<void> {
  using file = await Deno.open(path, { write: true, create: true });
  for (const size of [1_000_000, 4_096]) {
    try {
      for (;;) await file.write(new Uint8Array(size));
    } catch { /* no space is left for this size */ }
  }
}
