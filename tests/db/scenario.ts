/** Steps of a customer that depend on settings of the session: dates, bytes, letters, isolation. */
import assert from "node:assert/strict";
import { createActors } from "../../actors/mod.ts";
import type { Sql } from "../../db/connect.ts";
import { searchCustomers } from "../../db/customer_search.ts";
import { createLookups } from "../../db/lookups.ts";
import { createStoreReader } from "../../db/store_reader.ts";
import { customerRef, tell, type World } from "../actors/world.ts";
import { requestSettings } from "../actors/settings.ts";
import type { TestDatabase } from "../database.ts";

const DAY_MS = 86_400_000;

/** Registers, repeats, updates eight times at once, finds and searches a customer. */
export async function liveThrough(database: TestDatabase, api: Sql, reader: Sql): Promise<void> {
  const storeId = crypto.randomUUID();
  const world: World = {
    database,
    admin: database.admin,
    actors: createActors(api, { requests: await requestSettings() }),
    storeId,
    staff: { id: crypto.randomUUID(), type: "STAFF", storeId, roles: ["CUSTOMER_MANAGER"] },
    system: { id: crypto.randomUUID(), type: "SYSTEM", storeId, roles: [] },
    officer: { id: crypto.randomUUID(), type: "STAFF", storeId, roles: ["PRIVACY_OFFICER"] },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  const lookups = createLookups(reader);
  const stores = createStoreReader(api);

  const ref = customerRef(world);
  const customer = { storeId, customerId: ref.id };
  const register = () =>
    tell(world, ref, "register", { email: "INFO@example.com", lastName: "Ńandú" }, {
      idempotencyKey: "once",
    });
  const first = await register();
  assert.deepEqual(await register(), first);
  await assert.rejects(
    tell(world, customerRef(world), "register", { email: "info@EXAMPLE.com" }),
    { code: "ALREADY_EXISTS" },
  );

  const names = Array.from({ length: 8 }, (_, at) => `Name ${at}`);
  await Promise.all(names.map((firstName) => tell(world, ref, "profile.update", { firstName })));
  const found = await lookups.findCustomer(customer);
  assert.equal(found?.version, 9);
  assert.equal(found?.email, "INFO@example.com");
  assert.equal(found?.lastName, "Ńandú");
  assert.ok(Math.abs(found!.createdAt.getTime() - Date.now()) < DAY_MS, String(found?.createdAt));
  assert.equal((await lookups.findCustomerGroups(customer))?.memberships.length, 0);
  assert.equal(await lookups.findCustomerId({ storeId, email: "info@example.com" }), ref.id);
  for (
    const filter of [
      { email: "iNFO@example.com" },
      { emailPrefix: "INF" },
      { emailPrefix: "inf" },
      { createdFrom: new Date(Date.now() - DAY_MS), createdTo: new Date(Date.now() + DAY_MS) },
    ]
  ) {
    const page = await searchCustomers(stores, storeId, filter, { limit: 10 });
    assert.deepEqual(page.map(({ customerId }) => customerId), [ref.id], JSON.stringify(filter));
  }
  assert.equal(await lookups.findCustomerGroups({ storeId, customerId: crypto.randomUUID() }), undefined);
}
