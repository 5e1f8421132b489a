/** Embedded server in folders of any kind, and after crashes and interruptions. */
import assert from "node:assert/strict";
import { relative } from "node:path";
import postgres from "postgres";
import { EmbeddedError, startEmbedded } from "../../db/embedded.ts";
import { placeFor } from "../../db/embedded_folder.ts";

const ODD_NAME = "Zoë's shop 数据";

Deno.test("an interrupted first run starts again under any folder name, and the folder can be moved", async () => {
  await using temporary = await temporaryFolder();
  const folder = `${temporary.path}/${ODD_NAME}`;
  await Deno.mkdir(`${folder}/postgres-draft`, { recursive: true });
  await Deno.writeTextFile(`${folder}/postgres-draft/PG_VERSION`, "18\n");
  await ask(folder, (sql) => sql`create table kept as select 7 as value`);

  const moved = `${temporary.path}/moved`;
  await Deno.rename(folder, moved);
  assert.deepEqual((await ask(moved, (sql) => sql`select value from kept`)).map(({ value }) => value), [7]);
});

Deno.test("a process that has the PID of a dead server keeps running", async () => {
  await using folder = await temporaryFolder();
  await ask(folder.path, (sql) => sql`select 1`);
  await using bystander = startBystander();
  const pidFile = `${folder.path}/postgres/postmaster.pid`;
  using unused = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  unused.close();
  await Deno.writeTextFile(
    pidFile,
    [bystander.pid, `${folder.path}/postgres`, 1_700_000_000, unused.addr.port, "", "127.0.0.1"].join("\n"),
  );
  // Whether PostgreSQL replaces the file depends on the owner of the process; it may refuse with an error.
  await ask(folder.path, (sql) => sql`select 1`).catch((error) => assert.ok(error instanceof EmbeddedError));
  assert.equal(bystander.alive(), true);
});

Deno.test("a folder that cannot be created or read fails with one sentence and stays unchanged", async () => {
  await using folder = await temporaryFolder();
  const file = `${folder.path}/file`;
  await Deno.writeTextFile(file, "mine");
  await assert.rejects(
    startEmbedded(`${file}/data`),
    /^EmbeddedError: Cannot keep a database in .*\/file\/data: /,
  );
  await Deno.mkdir(`${folder.path}/postgres/PG_VERSION`, { recursive: true });
  await assert.rejects(startEmbedded(folder.path), /^EmbeddedError: Cannot keep a database in /);
  assert.ok(await Deno.stat(`${folder.path}/postgres/PG_VERSION`));
});

Deno.test("the folder is an absolute path, since the server runs in it", async () => {
  await using folder = await temporaryFolder();
  const path = await Deno.realPath(folder.path);
  for (const asRoot of [false, true]) assert.equal(await placeFor(relative(Deno.cwd(), path), asRoot), path);
});

/** Starts the server in a folder, runs one query and stops it. */
async function ask(folder: string, question: (sql: postgres.Sql) => PromiseLike<postgres.Row[]>) {
  await using server = await startEmbedded(folder, { settings: { fsync: "off" } });
  const sql = postgres(server.adminUrl, { max: 1, onnotice: () => {} });
  try {
    return await question(sql);
  } finally {
    await sql.end();
  }
}

function startBystander() {
  const process = new Deno.Command("sleep", { args: ["600"] }).spawn();
  let ended = false;
  process.status.then(() => ended = true);
  return {
    pid: process.pid,
    alive: () => !ended,
    async [Symbol.asyncDispose]() {
      if (!ended) process.kill("SIGKILL");
      await process.status;
    },
  };
}

async function temporaryFolder() {
  const path = await Deno.makeTempDir({ prefix: "customer-service-embedded-" });
  await Deno.chmod(path, 0o711);
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}
