/** `deno task start` as a process with a temporary data directory. */
import assert from "node:assert/strict";
import { eventually } from "./eventually.ts";
import { type ExitResult, startAndFail, startService, temporaryFolder } from "./service.ts";

const EXITED_WITH_0 = { code: 0, signal: null };
const exitOf = ({ code, signal }: ExitResult) => ({ code, signal });

Deno.test("a first start loads the demo data, and later ones keep it, also after a kill", async (t) => {
  await using folder = await temporaryFolder();
  const env = { DATA_DIR: `${folder.path}/data` };

  await t.step(
    "a second service on the same data directory fails, and Ctrl-C exits with code 0",
    async () => {
      await using service = startService(env);
      await assertDemo(await service.ready());
      assert.match(await startAndFail(env), /^.*data is in use by another customer-service: .*\n$/);
      assert.deepEqual(exitOf(await service.stop("SIGINT")), EXITED_WITH_0);
    },
  );

  await t.step("a second start keeps the demo data", async () => {
    await using killed = startService(env);
    await assertDemo(await killed.ready());
    await killed.stop("SIGKILL");
  });

  await t.step("after a kill the next start stops the orphaned database server and continues", async () => {
    await using service = startService(env);
    const tour = await service.ready();
    assert.match(tour, /customer-service is ready/);
    // An incomplete request does not delay the shutdown.
    const { hostname, port } = new URL(http(tour));
    using client = await Deno.connect({ hostname, port: Number(port) });
    const head =
      "POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9\r\n";
    await client.write(new TextEncoder().encode(`${head}expect: 100-continue\r\n\r\n{`));
    const answer = new Uint8Array(100);
    const length = await client.read(answer);
    assert.match(new TextDecoder().decode(answer.subarray(0, length ?? 0)), /^HTTP\/1.1 100 Continue/);
    assert.deepEqual(exitOf(await service.stop("SIGTERM")), EXITED_WITH_0);
  });
});

async function assertDemo(tour: string): Promise<void> {
  const own = await runCall(tour, /^curl[^]*?"}'$/m);
  assert.equal(JSON.parse(own).data.me.addresses.length, 1, "demo data is loaded once");
  assert.equal(JSON.parse(own).data.me.shopperGroups[0].name, "Wholesale");
  const federated = await runCall(tour, /^curl \S+ \S+\/gateway\/graphql [^]*?"}'$/m);
  assert.equal(JSON.parse(federated).data.me.orders.length, 2);
  assert.equal((await fetch(`${http(tour)}/readyz`)).status, 200);
}

Deno.test("data of another PostgreSQL version is not changed", async () => {
  await using folder = await temporaryFolder();
  await Deno.mkdir(`${folder.path}/data/postgres`, { recursive: true });
  await Deno.writeTextFile(`${folder.path}/data/postgres/PG_VERSION`, "13\n");
  assert.match(
    await startAndFail({ DATA_DIR: `${folder.path}/data` }),
    /belongs to PostgreSQL 13, this version brings 18/,
  );
});

Deno.test("Ctrl-C during a first start stops everything", async () => {
  await using folder = await temporaryFolder();
  await using service = startService({ DATA_DIR: `${folder.path}/data` });
  await eventually(async () => assert.ok(await exists(`${folder.path}/data/lock`)));
  assert.deepEqual(exitOf(await service.stop("SIGINT")), EXITED_WITH_0);
  assert.equal(await exists(`${folder.path}/data/postgres/postmaster.pid`), false);
});

Deno.test("a second signal ends a start that hangs", async () => {
  await using folder = await temporaryFolder();
  using silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const url = `postgres://user:open-sesame@127.0.0.1:${silent.addr.port}/none`;
  await using service = startService({ DATA_DIR: folder.path, DATABASE_URL: url });
  using _connection = await silent.accept();
  const repeating = setInterval(() => service.signal("SIGINT"), 100);
  const { code, stderr } = await service.exited();
  clearInterval(repeating);
  assert.deepEqual([code, stderr], [1, ""]);
});

Deno.test("a taken port is named, and nothing is left running", async () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const port = String(taken.addr.port);
  for (const [name, protocol] of [["HTTP_PORT", "HTTP"], ["GRPC_PORT", "gRPC"]] as const) {
    await using folder = await temporaryFolder();
    const message = await startAndFail({ DATA_DIR: `${folder.path}/data`, [name]: port });
    assert.equal(message, `Cannot serve ${protocol} on 127.0.0.1 port ${port}: the port is taken\n`);
    await assert.rejects(Deno.stat(`${folder.path}/data/postgres/postmaster.pid`), Deno.errors.NotFound);
  }
});

Deno.test("invalid variables and an unreachable database are reported without the password", async () => {
  await using folder = await temporaryFolder();
  const wrong = await startAndFail({ DATA_DIR: folder.path, HTTP_PORT: "http", EVENT_FORMAT: "xml" });
  assert.match(wrong, /HTTP_PORT[^]*EVENT_FORMAT/);
  const unreachable = await startAndFail({
    DATA_DIR: folder.path,
    DATABASE_URL: "postgres://user:open-sesame@127.0.0.1:1/none",
  });
  assert.match(unreachable, /^Cannot prepare the database: .*ECONNREFUSED.*\n$/);
  assert.ok(!unreachable.includes("open-sesame"));
});

Deno.test({
  name: "as root in a folder of mode 0700, the embedded database uses another folder",
  ignore: Deno.build.os === "windows" || Deno.uid() !== 0,
  fn: async () => {
    await using folder = await temporaryFolder();
    await Deno.chmod(folder.path, 0o700);
    await using service = startService({ DATA_DIR: `${folder.path}/data` });
    const dataFolder = (await service.ready()).match(/data in (\S+)/)?.[1] ?? "";
    assert.match(dataFolder, /^\/var\/tmp\/customer-service-/);
    await service.stop("SIGTERM");
    await Deno.remove(dataFolder, { recursive: true });
  },
});

/** HTTP URL in the tour. */
function http(tour: string): string {
  return tour.match(/http:\/\/[\d.:]+/)?.[0] ?? "";
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

/** Runs a printed call in a shell. */
async function runCall(tour: string, pattern: RegExp): Promise<string> {
  const call = tour.match(pattern)?.[0];
  assert.ok(call, "the tour contains the call");
  const { stdout } = await new Deno.Command("sh", { args: ["-c", call] }).output();
  return new TextDecoder().decode(stdout);
}
