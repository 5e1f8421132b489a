/** Two versions on one database, as while pods are exchanged. */
import assert from "node:assert/strict";
import { createLookups } from "../../db/lookups.ts";
import { createDatabase } from "../database.ts";
import { arrangeMany } from "../rpc/arrange.ts";

/** What a migration does that gives a lookup another column. */
const MORE = `
  alter function lookup_customer_groups rename to earlier_lookup;
  create function lookup_customer_groups(store_ids uuid[], customer_ids uuid[])
  returns table ("position" integer, anonymized boolean, group_id uuid, name text, price_list_id uuid,
    priority integer, assigned_at timestamptz, colour text)
  language sql stable security definer set search_path = public, pg_temp
  as $$ select *, 'blue' from earlier_lookup(store_ids, customer_ids) $$;
  grant execute on function lookup_customer_groups to customer_reader`;

Deno.test("lookups of a version go on while the next one's migration lets them return more", async () => {
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
