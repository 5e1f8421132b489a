/** Rolling update: two versions share one database. */
import assert from "node:assert/strict";
import { findJournal } from "../../db/actor_events.ts";
import { enterStore } from "../../db/connect.ts";
import { readStore } from "../../db/store_reader.ts";
import { createLookups } from "../../db/lookups.ts";
import { createWorld, register } from "../actors/world.ts";
import { createDatabase } from "../database.ts";
import { arrangeMany } from "../rpc/arrange.ts";

/** Statements of a migration that adds a column to a lookup. */
const MORE = `
  alter function lookup_customer_groups rename to earlier_lookup;
  create function lookup_customer_groups(store_ids uuid[], customer_ids uuid[])
  returns table ("position" integer, anonymized boolean, status text, group_id uuid, name text, price_list_id uuid,
    priority integer, assigned_at timestamptz, color text)
  language sql stable security definer set search_path = public, pg_temp
  as $$ select *, 'blue' from earlier_lookup(store_ids, customer_ids) $$;
  grant execute on function lookup_customer_groups to customer_reader`;

Deno.test("lookups of a version keep working while the next version's migration adds a column", async () => {
  await using database = await createDatabase();
  const people = await arrangeMany(database.admin, 20);
  const lookups = createLookups(database.pool("customer_reader", 4));
  const ask = async () => {
    const found = await Promise.all(people.map((key) => lookups.findCustomerGroups(key)));
    assert.deepEqual(
      found.map((groups) => groups?.memberships[0]?.name),
      people.map(({ customerId }) => customerId),
    );
  };
  const migration = (async () => {
    await ask();
    await database.admin.begin((tx) => tx.unsafe(MORE));
  })();
  let migrated = false;
  migration.finally(() => migrated = true).catch(() => {});
  while (!migrated) await ask();
  await migration;
  await ask();
});

Deno.test("a replica of the previous version keeps writing the journal, and its rows are read", async () => {
  await using world = await createWorld();
  const { storeId, id: actorId } = await register(world);
  const api = world.database.pool("customer_api", 1);
  const key = { storeId, actorKind: "customer", actorId };
  const written = {
    ...key,
    sequence: 2,
    eventType: "ask",
    stateBefore: "active",
    stateAfter: "active",
    principalId: actorId,
    principalType: "SYSTEM",
    changedFields: ["participants"],
    reason: null,
    at: new Date(),
  };
  await api.begin(async (tx) => {
    await enterStore(tx, storeId);
    await tx`insert into actor_events ${tx(written as unknown as Record<string, string>)}`;
  });
  const [ours, theirs] = await readStore(api, storeId, (sql) => findJournal(sql, key, { limit: 2 }));
  assert.deepEqual([ours?.about, ours?.transitions], [null, []]);
  assert.deepEqual({ ...theirs }, {
    ...written,
    about: null,
    transitions: null,
    principalService: null,
    reasonGiven: false,
    note: null,
    noteGiven: false,
    failure: null,
  });
});
