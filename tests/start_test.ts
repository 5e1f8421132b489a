/** `deno task start` as a process with a temporary data directory. */
import assert from "node:assert/strict";
import { eventually } from "./eventually.ts";
import { paste, shellBlocks, variablesIn } from "./readme.ts";
import { type ExitResult, startAndFail, startService, temporaryFolder } from "./service.ts";

const EXITED_WITH_0 = { code: 0, signal: null };
const exitOf = ({ code, signal }: ExitResult) => ({ code, signal });

Deno.test("a first start loads the demo data, and a later one keeps it, also after a kill", async (t) => {
  await using folder = await temporaryFolder();
  const env = { DATA_DIR: `${folder.path}/data` };

  await t.step("a first start has the demo data, and keeps a second service away", async () => {
    await using killed = startService(env);
    const tour = await killed.ready();
    await assertDemo(tour);
    await assertReadme(tour);
    assert.match(await startAndFail(env), /^.*data is in use by another customer-service: .*\n$/);
    await killed.waitForOutput(/customer\.updated/); // the history has been loaded, and events are published
    const { output } = await killed.stop("SIGKILL");
    const [, afterTour = ""] = output.split("Press Ctrl-C to stop.\n");
    assert.doesNotMatch(afterTour, /WRN|ERR|Housekeeping/, "the demo history leaves the tour on the screen");
  });

  await t.step(
    "after a kill the next start stops the orphaned database server and keeps the data",
    async () => {
      await using service = startService({ ...env, LOG_LEVEL: "warning" });
      const tour = await service.ready();
      assert.match(tour, /customer-service is ready/);
      const [own] = await answers(["./cs graphql '{ me { firstName addresses { id } } }'"], tour);
      assert.deepEqual([own.data.me.firstName, own.data.me.addresses.length], ["Wilhelmina", 2]);
      // An incomplete request does not delay the shutdown.
      const { hostname, port } = new URL(http(tour));
      using client = await Deno.connect({ hostname, port: Number(port) });
      const head =
        "POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9\r\n";
      await client.write(new TextEncoder().encode(`${head}expect: 100-continue\r\n\r\n{`));
      const answer = new Uint8Array(100);
      const length = await client.read(answer);
      assert.match(new TextDecoder().decode(answer.subarray(0, length ?? 0)), /^HTTP\/1.1 100 Continue/);
      const exit = await service.stop("SIGTERM");
      assert.deepEqual(exitOf(exit), EXITED_WITH_0);
      assert.doesNotMatch(exit.output, /INF/, "LOG_LEVEL applies");
    },
  );
});

/** Runs the printed calls, which read the demo data. */
async function assertDemo(tour: string): Promise<void> {
  const [own, federated, customers] = await answers(
    tour.match(/^\.\/cs g(raphql|ateway|et).*$/gm) ?? [],
    tour,
  );
  assert.equal(own.data.me.addresses.length, 1, "demo data is loaded once");
  assert.equal(own.data.me.shopperGroups[0].name, "Wholesale");
  assert.equal(federated.data.me.orders.length, 2);
  assert.equal(customers.items.length, 2);
  assert.ok(tour.split("\n").every((line) => line.length <= 200), "no call carries a token");
}

/** Runs the beginning of the tour in README.md. tests/readme_long_test.ts runs all of it. */
async function assertReadme(tour: string): Promise<void> {
  const [first = ""] = await shellBlocks("README.md", "## A tour");
  const [, renamed, address, refused, groups] = await answers([first], tour);
  assert.equal(renamed.data.updateProfile.customer.firstName, "Wilhelmina");
  assert.match(address.data.addAddress.address.id, /^[0-9a-f-]{36}$/);
  assert.match(refused.errors[0].message, /phone must be/);
  assert.ok(groups.priceListId);
}

// deno-lint-ignore no-explicit-any -- answers of several interfaces
async function answers(commands: string[], tour: string): Promise<any[]> {
  const { stdout } = await paste([variablesIn(tour), ...commands].join("\n"));
  return stdout.split("\n").filter((line) => line.startsWith("{")).map((line) => JSON.parse(line));
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
  const exit = await service.stop("SIGINT");
  assert.deepEqual(exitOf(exit), EXITED_WITH_0, exit.stderr);
  assert.match(exit.output, /Stopped/);
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

Deno.test("a taken port is named with its variable before anything is created", async () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const port = String(taken.addr.port);
  for (const [name, protocol] of [["HTTP_PORT", "HTTP"], ["GRPC_PORT", "gRPC"]] as const) {
    await using folder = await temporaryFolder();
    const message = await startAndFail({ DATA_DIR: `${folder.path}/data`, [name]: port });
    const remedy = `the port is taken; set ${name} to another one`;
    assert.equal(message, `Cannot serve ${protocol} on 127.0.0.1 port ${port}: ${remedy}\n`);
    await assert.rejects(Deno.stat(`${folder.path}/data`), Deno.errors.NotFound, "nothing was created");
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
