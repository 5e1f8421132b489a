/** The embedded server in the folders that people give it, and after whatever has happened to them. */
import assert from "node:assert/strict";
import { relative } from "node:path";
import postgres from "postgres";
import { EmbeddedError, startEmbedded } from "../../db/embedded.ts";
import { placeFor } from "../../db/embedded_folder.ts";

const ODD_NAME = "Zoë's shop 数据";

Deno.test("a first run that was interrupted is begun again, under whatever name, and the folder can be moved", async () => {
  await using temporary = await temporaryFolder();
  const folder = `${temporary.path}/${ODD_NAME}`;
  await Deno.mkdir(`${folder}/postgres-draft`, { recursive: true });
  await Deno.writeTextFile(`${folder}/postgres-draft/PG_VERSION`, "18\n");
  await ask(folder, (sql) => sql`create table kept as select 7 as value`);

  const moved = `${temporary.path}/moved`;
  await Deno.rename(folder, moved);
  assert.deepEqual((await ask(moved, (sql) => sql`select value from kept`)).map(({ value }) => value), [7]);
});

Deno.test("a process that has got the number of a dead server is left alone", async () => {
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
  // Whether PostgreSQL takes its place depends on whose process it is; it may have to be told of in words.
  await ask(folder.path, (sql) => sql`select 1`).catch((error) => assert.ok(error instanceof EmbeddedError));
  assert.equal(bystander.alive(), true);
});

Deno.test("a folder that cannot be made, or whose data cannot be read, is told in a sentence and left as it is", async () => {
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

Deno.test("a folder is known by its absolute path, since the server runs in it", async () => {
  await using folder = await temporaryFolder();
  const path = await Deno.realPath(folder.path);
  for (const asRoot of [false, true]) assert.equal(await placeFor(relative(Deno.cwd(), path), asRoot), path);
});

/** Starts the server in a folder, asks it one thing and stops it. */
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
