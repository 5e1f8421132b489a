/** A person who was erased, and the database from before the erasure, restored. */
import assert from "node:assert/strict";
import { createActors } from "../../actors/mod.ts";
import type { ActorRef } from "../../actors/commands.ts";
import { ADDRESS, register, tell, type World } from "../actors/world.ts";
import { PARTICIPANTS, requestSettings } from "../actors/settings.ts";
import { createDatabase, type TestDatabase } from "../database.ts";
import { createWorkshop } from "./workshop.ts";

/** What was known of the person. */
const VALUES = {
  email: "katherine@goble.example",
  firstName: "Katherine",
  lastName: "Coleman-Goble",
  phone: "+12025550143",
  line1: "7 Compiler Lane",
};

export interface Restored extends AsyncDisposable {
  /** Where the person was erased. */
  erased: World;
  /** What the backup has brought back. */
  restored: World;
  person: ActorRef;
  /** Somebody else, who was not erased. */
  bystander: ActorRef;
}

export async function createRestored(): Promise<Restored> {
  await using stack = new AsyncDisposableStack();
  const database = stack.use(await createDatabase());
  const storeId = crypto.randomUUID();
  const before = await inhabit(database, storeId);
  const { line1, ...profile } = VALUES;
  const person = await register(before, profile);
  await tell(before, person, "address.add", { ...ADDRESS, line1 });
  const bystander = await register(before, { firstName: "Ada" });
  await before.leave();

  const backup = stack.use(await createDatabase(true, new URL(database.url).pathname.slice(1)));
  const erased = await inhabit(database, storeId);
  await finish(erased, await createWorkshop(erased).open(person, "ERASURE"));
  const restored = await inhabit(backup, storeId);
  const all = stack.move();
  return { erased, restored, person, bystander, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

async function inhabit(database: TestDatabase, storeId: string): Promise<World & { leave(): Promise<void> }> {
  const api = database.pool("customer_api", 8);
  return {
    database,
    admin: database.admin,
    actors: createActors(api, { requests: await requestSettings() }),
    storeId,
    staff: { id: crypto.randomUUID(), type: "STAFF", storeId, roles: ["CUSTOMER_MANAGER"] },
    system: { id: crypto.randomUUID(), type: "SYSTEM", storeId, roles: [] },
    leave: () => api.end(),
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}

/** Does the service's and the participants' part of an erasure. */
export async function finish(world: World, request: ActorRef): Promise<void> {
  const shop = createWorkshop(world);
  await shop.work();
  for (const service of PARTICIPANTS) {
    await shop.tell(request, "participant.confirm", { service, evidence: "none left" });
  }
  await shop.work();
  assert.equal((await shop.row(request)).outcome, "FULFILLED");
}

/** Finishes the erasure that a replay has begun, and sees that nobody else was touched. */
export async function finishReplay({ restored, person, bystander }: Restored): Promise<void> {
  const requests = await restored.admin<{ requestId: string; customerId: string }[]>`
    select request_id, customer_id from gdpr_requests`;
  assert.deepEqual(requests.map(({ customerId }) => customerId), [person.id]);
  await finish(restored, { kind: "gdpr_request", storeId: restored.storeId, id: requests[0]!.requestId });
  const [receipt] = await restored.admin`select document from erasure_receipts`;
  assert.equal(receipt?.document.cause, "RESTORE");
  assert.match(receipt.document.because, /restored database/);
  assert.deepEqual(await placesOf(restored), []);
  const [other] = await restored
    .admin`select first_name, anonymized_at from customers where customer_id = ${bystander.id}`;
  assert.deepEqual(other, { firstName: "Ada", anonymizedAt: null });
}

/** The tables in which something of the person stands. */
export async function placesOf({ admin }: World): Promise<string[]> {
  const tables = await admin<{ relname: string }[]>`
    select relname from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace order by relname`;
  const places: string[] = [];
  for (const { relname } of tables) {
    const rows = await admin<{ text: string }[]>`select t::text as text from ${admin(relname)} t`;
    const known = Object.values(VALUES);
    if (rows.some(({ text }) => known.some((value) => text.includes(value)))) places.push(relname);
  }
  return places;
}
