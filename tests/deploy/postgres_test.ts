/** Preparing an empty PostgreSQL server as in README.md and deploy/. */
import assert from "node:assert/strict";
import postgres from "postgres";
import { startEmbedded } from "../../db/embedded.ts";
import { openPool } from "../../db/connect.ts";
import { createReadiness } from "../../db/readiness.ts";
import { isCurrent, migrate } from "../../db/migrate.ts";
import { temporaryFolder } from "../service.ts";
import { readText } from "./yaml.ts";

Deno.test("the first start of compose creates a login that migrates and one that only serves", async () => {
  await using folder = await temporaryFolder();
  await using server = await startEmbedded(folder.path, { settings: { fsync: "off" } });
  const [, script = ""] = (await readText("deploy/compose/logins.sh")).match(/<<'SQL'\n(.*?)\nSQL\n/s) ?? [];
  const passwords = script.replace(":'service'", "'one'").replace(":'migration'", "'two'");
  for (const statement of [await readText("db/roles.sql"), ...passwords.split("\n")]) {
    await ask(server.adminUrl, statement);
  }
  const of = (username: string, password: string) =>
    at(server.adminUrl, { username, password, pathname: "/customer" });
  await migrate(of("customer_migration", "two"));

  assert.deepEqual(await migrate(of("customer_service", "one")), []);
  const pool = openPool(of("customer_service", "one"), "customer_reader", 1);
  assert.equal(await (await createReadiness({ writer: pool, reader: pool }))(), true);
  await pool.end();
  await assert.rejects(ask(of("customer_service", "one"), "set role customer_owner"), { code: "42501" });
});

Deno.test("an administrator with CREATEROLE and CREATEDB prepares the server, and the service migrates", async () => {
  await using folder = await temporaryFolder();
  await using server = await startEmbedded(folder.path, { settings: { fsync: "off" } });
  await ask(server.adminUrl, "create role administrator login createrole createdb password 'managed'");
  const administrator = at(server.adminUrl, { username: "administrator", password: "managed" });
  const [, script = ""] = (await readText("README.md")).match(/<<'SQL'\n(.*?)\nSQL\n/s) ?? [];
  const [, password = ""] = script.match(/password '([^']+)'/) ?? [];
  const [, database] = script.match(/create database (\w+)/) ?? [];

  await ask(administrator, await readText("db/roles.sql"));
  for (const statement of script.split("\n")) await ask(administrator, statement);
  const url = at(server.adminUrl, { username: "customer_service", password, pathname: `/${database}` });
  assert.notDeepEqual(await migrate(url), []);

  const sql = postgres(url, { max: 1 });
  try {
    assert.equal(await isCurrent(sql), true);
    const [role] = await sql`select rolsuper, rolbypassrls from pg_roles where rolname = current_user`;
    assert.deepEqual({ ...role }, { rolsuper: false, rolbypassrls: false });
  } finally {
    await sql.end();
  }
});

async function ask(url: string, statement: string): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  await sql.unsafe(statement).finally(() => sql.end());
}

function at(url: string, parts: { username: string; password: string; pathname?: string }): string {
  return Object.assign(new URL(url), parts).href;
}
