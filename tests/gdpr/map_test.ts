/** Personal-data map: compared with the schema, and an erasure and an export compared with the map. */
import assert from "node:assert/strict";
import { createExportDownloads, exportLink } from "../../actors/gdpr/exports/downloads.ts";
import { createRequestPerformers } from "../../actors/gdpr/mod.ts";
import { en } from "../../actors/gdpr/texts/en.ts";
import { OWN_DATA } from "../../actors/gdpr/types.ts";
import type { ActorRef } from "../../actors/commands.ts";
import type { Sql } from "../../db/connect.ts";
import { erasedColumns, FREE_TEXT, NOT_PERSONAL, PERSONAL_DATA } from "../../db/personal_data.ts";
import { ADDRESS, createGroup, createWorld, register, shopper, tell, type World } from "../actors/world.ts";
import { PARTICIPANTS } from "../actors/settings.ts";
import { createDatabase } from "../database.ts";
import { createKeys } from "./keys.ts";
import { createRequestFixture } from "./request_fixture.ts";

const PERSON = {
  email: "augusta@lovelace.example",
  firstName: "Augusta",
  lastName: "Lovelace-King",
  phone: "+441234567890",
  locale: "en-GB",
};
/** guests_test.ts tests the rows of persons without an account. */
const TABLES_OF_CUSTOMERS = Object.entries(PERSONAL_DATA).filter(([table]) => table !== "guests");
const HOME = { ...ADDRESS, line1: "12 St James Square", line2: "Third floor", state: "Greater London" };

Deno.test("the map contains every column of the schema exactly once, and nothing else", async () => {
  await using database = await createDatabase();
  assert.deepEqual(await differences(database.admin), []);
});

Deno.test("columns and tables that the map or the schema lacks are reported", async () => {
  await using database = await createDatabase();
  await database.admin`alter table customers add column nickname text`;
  await database.admin`alter table customer_addresses drop column line2 cascade`;
  await database.admin`create table wishes (store_id uuid, wish text)`;
  assert.deepEqual(await differences(database.admin), [
    "customer_addresses.line2 is not in the schema",
    "customers.nickname is in the map 0 times",
    "wishes.store_id is in the map 0 times",
    "wishes.wish is in the map 0 times",
  ]);
});

Deno.test("an erasure clears every column that the map lists, keeps the others, and changes no other customer", async () => {
  await using world = await createWorld();
  const fixture = createRequestFixture(world);
  const [subject, other] = [await registerPerson(world), await register(world, { firstName: "Charles" })];
  await tell(world, other, "address.add", HOME);
  const others = await rowsOf(world.admin, other);
  await fixture.open(subject, "RECTIFICATION", { corrections: { firstName: "Ada" } });
  const request = await fixture.open(subject, "ERASURE");
  const before = await rowsOf(world.admin, subject);
  for (const [table] of TABLES_OF_CUSTOMERS) {
    for (const column of erasedColumns(table)) {
      assert.ok(before[table]?.some((row) => row[column] !== null), `${table}.${column} is filled`);
    }
  }

  await fixture.work();
  for (const service of PARTICIPANTS) await fixture.tell(request, "participant.confirm", { service });
  await fixture.work();
  assert.equal((await fixture.row(request)).outcome, "FULFILLED");

  const after = await rowsOf(world.admin, subject);
  for (const [table, columns] of Object.entries(PERSONAL_DATA)) {
    const isDeleted = Object.values(columns).some(({ onErasure }) => onErasure === "delete");
    const rows = before[table]?.length ?? 0;
    const added = table === "gdpr_notices" ? 1 : 0; // that the data were erased
    assert.equal(after[table]?.length, isDeleted ? 0 : rows + added, `the rows of ${table}`);
    for (const [at, row] of (after[table] ?? []).slice(0, rows).entries()) {
      for (const [column, { onErasure }] of Object.entries(columns)) {
        if (onErasure === "null") assert.equal(row[column], null, `${table}.${column}`);
        else if (onErasure === "reset") assert.equal(row[column], false, `${table}.${column}`);
        else if (!SET_BY_ERASURE.includes(column)) {
          assert.deepEqual(row[column], before[table]?.[at]?.[column]);
        }
      }
    }
  }
  assert.deepEqual(await rowsOf(world.admin, other), others);
});

/** Columns that an erasure sets. */
const SET_BY_ERASURE = ["status", "updated_at", "anonymized_at", "outcome", "completed_at"];

Deno.test("the documents of access and portability contain every column of the map and its value", async (t) => {
  await using world = await createWorld();
  const keys = await createKeys();
  const api = world.database.pool("customer_api");
  const noParticipants = { async *collect() {} };
  const fixture = createRequestFixture(world, createRequestPerformers(api, noParticipants, keys));
  const subject = await registerPerson(world);
  const refused = await fixture.open(subject, "PORTABILITY");
  await fixture.tell(refused, "hold", { reason: "a lawsuit", ground: "LEGAL_CLAIM" });
  await fixture.tell(refused, "refuse", { reason: "it is repeated", ground: "EXCESSIVE" });
  const [{ noticeId: id } = {}] = await world.admin`select notice_id from gdpr_notices limit 1`;
  const notice = { kind: "gdpr_notice" as const, storeId: world.storeId, id };
  await tell(world, notice, "waive", { waiver: "GIVEN_BY_PHONE" }, { by: world.officer });
  await fixture.open(subject, "RECTIFICATION", {
    corrections: { firstName: "Augusta Ada" },
    channel: "LETTER",
    identity: { method: "ID_DOCUMENT" },
    representative: { ground: "GUARDIANSHIP", name: "Anne Isabella" },
  }, { by: world.officer });
  await world.admin`update customers set closed_at = now() where customer_id = ${subject.id}`;
  await world.admin`update gdpr_requests set fetched_at = now() where customer_id = ${subject.id}`;
  const documents = { ACCESS: ["access.json", "access.html"], PORTABILITY: ["portability.json"] };

  for (const [right, parts] of Object.entries(documents)) {
    const request = await fixture.open(subject, right);
    await fixture.work();
    assert.equal((await fixture.row(request)).outcome, "FULFILLED");
    const link = await exportLink(api, keys, { storeId: world.storeId, requestId: request.id });
    const downloads = createExportDownloads(api, keys, world.actors);
    const rows = await rowsOf(world.admin, subject);
    for (const part of parts) {
      await t.step(part, async () => {
        const token = link?.url.split("/").at(-1) ?? "";
        const { gzip } = await downloads.fetch(token, part, shopper(subject));
        const sent = await new Response(gzip.pipeThrough(new DecompressionStream("gzip"))).text();
        const text = sent.replaceAll("&#39;", "'");
        assert.ok(text.includes(OWN_DATA));
        for (const [table, columns] of TABLES_OF_CUSTOMERS) {
          for (const [column, { purpose }] of Object.entries(columns)) {
            if (column === "anonymized_at") continue; // an erased customer has no export
            const values = rows[table]?.map((row) => row[column]).filter((value) => value !== null);
            assert.ok(values && values.length > 0, `${table}.${column} is filled`);
            assert.ok(text.includes(en.purposes[purpose]), purpose);
            const name = part === "access.html" ? en.columns[column] : column;
            assert.ok(name && text.includes(name), `${table}.${column}`);
          }
        }
        for (const value of [...Object.values({ ...PERSON, firstName: "Augusta Ada" }), ...WRITTEN]) {
          assert.ok(text.includes(value), value);
        }
      });
    }
  }
});

const WRITTEN = [HOME.line1, HOME.line2, HOME.city, HOME.state, HOME.postalCode];

/** Differences between the map and the schema. */
async function differences(sql: Sql): Promise<string[]> {
  const rows = await sql<{ tableName: string; columnName: string }[]>`
    select table_name, column_name from information_schema.columns
    join information_schema.tables using (table_schema, table_name)
    where table_schema = 'public' and table_type = 'BASE TABLE' and table_name <> 'schema_migrations'`;
  const columns = rows.map(({ tableName, columnName }) => `${tableName}.${columnName}`);
  const mapped = [
    ...Object.entries(PERSONAL_DATA).flatMap(([table, map]) =>
      Object.keys(map).map((name) => `${table}.${name}`)
    ),
    ...[NOT_PERSONAL, FREE_TEXT].flatMap((map) => Object.entries(map))
      .flatMap(([table, names]) => names.map((name) => `${table}.${name}`)),
  ];
  const times = (column: string) => mapped.filter((name) => name === column).length;
  return [
    ...columns.filter((column) => times(column) !== 1)
      .map((column) => `${column} is in the map ${times(column)} times`),
    ...mapped.filter((name) => !columns.includes(name)).map((name) => `${name} is not in the schema`),
  ].sort();
}

/** Registers a customer with a value in each column of the map. */
async function registerPerson(world: World): Promise<ActorRef> {
  const ref = await register(world, PERSON);
  await tell(world, ref, "address.add", { ...HOME, isDefaultShipping: true, isDefaultBilling: true });
  const hold = await tell(world, ref, "hold.place", { ground: "LEGAL_CLAIM", until: "2040-01-01T00:00:00Z" });
  await tell(world, ref, "hold.lift", { holdId: hold.ids.holdId });
  const group = await createGroup(world);
  await tell(world, ref, "group.assign", { groupId: group.id });
  return ref;
}

/** The customer's rows in every table of the map, in a fixed order, with column names of the database. */
async function rowsOf(sql: Sql, { id }: ActorRef): Promise<Record<string, Record<string, unknown>[]>> {
  const tables = await Promise.all(
    Object.keys(PERSONAL_DATA).map(async (table) => {
      const rows = await sql`
      select to_jsonb(t) as row from ${sql(table)} t where customer_id = ${id}
      order by coalesce(to_jsonb(t)->>'created_at', to_jsonb(t)->>'assigned_at', to_jsonb(t)->>'placed_at')`;
      return [table, rows.map(({ row }) => row)] as const;
    }),
  );
  return Object.fromEntries(tables);
}
