/** `deno task start` as its user meets it: a process of its own, with a data directory of its own. */
import assert from "node:assert/strict";

const ROOT = new URL("..", import.meta.url).pathname;

Deno.test("a first start serves the demo data, a second one keeps it, and Ctrl-C ends each with exit code 0", async () => {
  await using folder = await temporaryFolder();
  for (const visit of ["first", "second"]) {
    await using service = await startService({ DATA_DIR: `${folder.path}/data` });
    const tour = await service.tour();
    const answer = await runPasted(tour, /^curl[^]*?"}'$/m);
    assert.equal(JSON.parse(answer).data.me.addresses.length, 1, `${visit}: demo data is loaded once`);
    assert.equal(JSON.parse(answer).data.me.shopperGroups[0].name, "Wholesale");
    assert.equal((await fetch(`${service.http(tour)}/readyz`)).status, 200);
    assert.deepEqual(await service.stop("SIGINT"), { code: 0, signal: null });
  }
});

Deno.test("a second service on the same data directory is told that it is in use", async () => {
  await using folder = await temporaryFolder();
  const env = { DATA_DIR: `${folder.path}/data` };
  await using first = await startService(env);
  await first.tour();
  assert.match(await failure(env), /^.*data is in use by another customer-service: .*\n$/);
});

Deno.test("after a kill the next start ends the database server that was left behind, and goes on", async () => {
  await using folder = await temporaryFolder();
  const env = { DATA_DIR: `${folder.path}/data` };
  await using killed = await startService(env);
  await killed.tour();
  await killed.stop("SIGKILL");
  await using next = await startService(env);
  assert.match(await next.tour(), /customer-service is ready/);
  assert.deepEqual(await next.stop("SIGTERM"), { code: 0, signal: null });
});

Deno.test("data of another PostgreSQL version is left alone", async () => {
  await using folder = await temporaryFolder();
  await Deno.mkdir(`${folder.path}/data/postgres`, { recursive: true });
  await Deno.writeTextFile(`${folder.path}/data/postgres/PG_VERSION`, "13\n");
  assert.match(
    await failure({ DATA_DIR: `${folder.path}/data` }),
    /belongs to PostgreSQL 13, this version brings 18/,
  );
});

Deno.test("a port that is taken is named, whichever it is, and nothing is left running", async () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const port = String(taken.addr.port);
  for (const [name, words] of [["HTTP_PORT", "HTTP"], ["GRPC_PORT", "gRPC"]] as const) {
    await using folder = await temporaryFolder();
    const message = await failure({ DATA_DIR: `${folder.path}/data`, [name]: port });
    assert.equal(message, `Cannot serve ${words} on 127.0.0.1 port ${port}: the port is taken\n`);
    await assert.rejects(Deno.stat(`${folder.path}/data/postgres/postmaster.pid`), Deno.errors.NotFound);
  }
});

Deno.test("wrong variables and an unreachable database are told in words, without the password", async () => {
  await using folder = await temporaryFolder();
  const wrong = await failure({ DATA_DIR: folder.path, HTTP_PORT: "http", EVENT_FORMAT: "xml" });
  assert.match(wrong, /HTTP_PORT[^]*EVENT_FORMAT/);
  const away = await failure({
    DATA_DIR: folder.path,
    DATABASE_URL: "postgres://user:open-sesame@127.0.0.1:1/none",
  });
  assert.match(away, /^Cannot prepare the database: .*ECONNREFUSED.*\n$/);
  assert.ok(!away.includes("open-sesame"));
});

Deno.test({
  name: "as root in a folder that nobody else may enter, the embedded database finds another place",
  ignore: Deno.build.os === "windows" || Deno.uid() !== 0,
  fn: async () => {
    await using folder = await temporaryFolder();
    await Deno.chmod(folder.path, 0o700);
    await using service = await startService({ DATA_DIR: `${folder.path}/data` });
    const place = (await service.tour()).match(/data in (\S+)/)?.[1] ?? "";
    assert.match(place, /^\/var\/tmp\/customer-service-/);
    await service.stop("SIGTERM");
    await Deno.remove(place, { recursive: true });
  },
});

async function temporaryFolder() {
  const path = await Deno.makeTempDir({ prefix: "customer-service-start-" });
  await Deno.chmod(path, 0o711);
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

/** Without the variables of this test's own run. */
function command(env: Record<string, string>): Deno.Command {
  const inherited = Object.fromEntries(["PATH", "HOME", "DENO_DIR"].flatMap((name) => {
    const value = Deno.env.get(name);
    return value === undefined ? [] : [[name, value]];
  }));
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "main.ts"],
    cwd: ROOT,
    clearEnv: true,
    env: { ...inherited, HTTP_PORT: "0", GRPC_PORT: "0", ...env },
    stdout: "piped",
    stderr: "piped",
  });
}

/** What a start that must fail says; it has to say it with exit code 1. */
async function failure(env: Record<string, string>): Promise<string> {
  const { code, stderr } = await command(env).output();
  assert.equal(code, 1);
  return new TextDecoder().decode(stderr);
}

function startService(env: Record<string, string>) {
  const process = command(env).spawn();
  const complaints = new Response(process.stderr).text();
  const output = process.stdout.getReader();
  let text = "";
  let progress = Promise.withResolvers<void>();
  const ended = (async () => {
    const decoder = new TextDecoder();
    for (;;) {
      const { value, done } = await output.read();
      if (done) return;
      text += decoder.decode(value, { stream: true });
      progress.resolve();
      progress = Promise.withResolvers<void>();
    }
  })();
  const stop = async (signal: Deno.Signal) => {
    try {
      process.kill(signal);
    } catch { /* it has ended by itself */ }
    const { code, signal: by } = await process.status;
    await Promise.all([ended, complaints]);
    return { code: by ? null : code, signal: by };
  };
  return {
    stop,
    /** What it prints once it is ready. */
    async tour(): Promise<string> {
      while (!text.includes("Ctrl-C ends it all")) {
        await Promise.race([
          progress.promise,
          process.status.then(async () => assert.fail(`It ended: ${await complaints}`)),
        ]);
      }
      return text;
    },
    http: (tour: string) => tour.match(/http:\/\/[\d.:]+/)?.[0] ?? "",
    async [Symbol.asyncDispose]() {
      await stop("SIGTERM");
    },
  };
}

/** Runs a call as it was printed, the way a person pastes it. */
async function runPasted(tour: string, pattern: RegExp): Promise<string> {
  const call = tour.match(pattern)?.[0];
  assert.ok(call, "the tour has such a call");
  const { stdout } = await new Deno.Command("sh", { args: ["-c", call] }).output();
  return new TextDecoder().decode(stdout);
}
