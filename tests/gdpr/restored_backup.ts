/** Fixture of a database in which a person was erased, and of a restored backup from before the erasure. */
import assert from "node:assert/strict";
import { createRequestSettings } from "../../actors/gdpr/mod.ts";
import { deriveHashKey, type HashKeys } from "../../lib/hash_keys.ts";
import { createKeys } from "./keys.ts";
import { createActors } from "../../actors/mod.ts";
import type { ActorRef } from "../../actors/commands.ts";
import { ADDRESS, register, tell, type World } from "../actors/world.ts";
import { PARTICIPANTS } from "../actors/settings.ts";
import { createDatabase, type TestDatabase } from "../database.ts";
import { createRequestFixture } from "./request_fixture.ts";

/** The person's values. */
const VALUES = {
  email: "katherine@goble.example",
  firstName: "Katherine",
  lastName: "Coleman-Goble",
  phone: "+12025550143",
  line1: "7 Compiler Lane",
};

export interface RestoredBackup extends AsyncDisposable {
  /** World in which the person was erased. */
  erased: World;
  /** World on the restored backup. */
  restored: World;
  person: ActorRef;
  /** GDPR_HASH_KEY of both worlds. */
  hashKey: string;
  /** Another customer, who was not erased. */
  bystander: ActorRef;
}

export async function createRestoredBackup(): Promise<RestoredBackup> {
  await using stack = new AsyncDisposableStack();
  const database = stack.use(await createDatabase());
  const storeId = crypto.randomUUID();
  const secret = crypto.getRandomValues(new Uint8Array(32));
  const hashKeys: HashKeys = [await deriveHashKey(secret)];
  const before = await openWorld(database, storeId, hashKeys);
  const { line1, ...profile } = VALUES;
  const person = await register(before, profile);
  await tell(before, person, "address.add", { ...ADDRESS, line1 });
  const bystander = await register(before, { firstName: "Ada" });
  await before.close();

  const backup = stack.use(await createDatabase(true, new URL(database.url).pathname.slice(1)));
  const erased = await openWorld(database, storeId, hashKeys);
  await finish(erased, await createRequestFixture(erased).open(person, "ERASURE"));
  const restored = await openWorld(backup, storeId, hashKeys);
  const resources = stack.move();
  const hashKey = secret.toBase64();
  return {
    erased,
    restored,
    person,
    hashKey,
    bystander,
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

async function openWorld(
  database: TestDatabase,
  storeId: string,
  hashKeys: HashKeys,
): Promise<World & { close(): Promise<void> }> {
  const api = database.pool("customer_api", 8);
  const requests = {
    ...createRequestSettings({
      participants: PARTICIPANTS,
      graceMs: 0,
      fourEyes: false,
      fetchWaitMs: 0,
      maxSignInAgeMs: 900_000,
    }, {
      ...await createKeys(),
      hashKeys,
    }),
    random: () => 0,
  };
  return {
    database,
    admin: database.admin,
    actors: createActors(api, { requests }),
    storeId,
    staff: { id: crypto.randomUUID(), type: "STAFF", storeId, roles: ["CUSTOMER_MANAGER"] },
    system: { id: crypto.randomUUID(), type: "SYSTEM", storeId, roles: [] },
    officer: { id: crypto.randomUUID(), type: "STAFF", storeId, roles: ["PRIVACY_OFFICER"] },
    close: () => api.end(),
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}

/** Completes an erasure: processes its work and confirms for each participant. */
export async function finish(world: World, request: ActorRef): Promise<void> {
  const fixture = createRequestFixture(world);
  await fixture.work();
  for (const service of PARTICIPANTS) {
    await fixture.tell(request, "participant.confirm", { service, evidence: "none left" });
  }
  await fixture.work();
  assert.equal((await fixture.row(request)).outcome, "FULFILLED");
}

/** Completes the erasure that a replay started, and checks that the other customer is unchanged. */
export async function finishReplay({ restored, person, bystander }: RestoredBackup): Promise<void> {
  const requests = await restored.admin<{ requestId: string; customerId: string }[]>`
    select request_id, customer_id from gdpr_requests`;
  assert.deepEqual(requests.map(({ customerId }) => customerId), [person.id]);
  await finish(restored, { kind: "gdpr_request", storeId: restored.storeId, id: requests[0]!.requestId });
  const [receipt] = await restored.admin`select document from erasure_receipts`;
  assert.equal(receipt?.document.cause, "RESTORE");
  assert.match(receipt.document.because, /restored database/);
  assert.deepEqual(await tablesWithPersonalValues(restored), []);
  const [other] = await restored
    .admin`select first_name, anonymized_at from customers where customer_id = ${bystander.id}`;
  assert.deepEqual(other, { firstName: "Ada", anonymizedAt: null });
}

/** Names of the tables that contain values of the person. */
export async function tablesWithPersonalValues({ admin }: World): Promise<string[]> {
  const tables = await admin<{ relname: string }[]>`
    select relname from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace order by relname`;
  const names: string[] = [];
  for (const { relname } of tables) {
    const rows = await admin<{ text: string }[]>`select t::text as text from ${admin(relname)} t`;
    const values = Object.values(VALUES);
    if (rows.some(({ text }) => values.some((value) => text.includes(value)))) names.push(relname);
  }
  return names;
}
