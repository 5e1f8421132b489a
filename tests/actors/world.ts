/** Test fixture: an isolated store with real actors on a database of its own. */
import { type ActorsOptions, createActors } from "../../actors/mod.ts";
import { DECISIONS } from "../../actors/gdpr/requests/available_decisions.ts";
import type { Principal } from "../../domain/principal.ts";
import type { ActorRef, Commands } from "../../actors/commands.ts";
import type { Answer, CommandContext } from "../../actors/runtime/protocol.ts";
import type { Runtime } from "../../actors/runtime/mod.ts";
import { newTraceparent } from "../../lib/trace_context.ts";
import type { Sql } from "../../db/connect.ts";
import { createDatabase, type TestDatabase } from "../database.ts";
import { requestSettings } from "./settings.ts";

export interface World extends AsyncDisposable {
  database: TestDatabase;
  /** Pool of the superuser, for reading what the actors have stored. */
  admin: Sql;
  actors: Runtime<Commands>;
  storeId: string;
  staff: Principal;
  system: Principal;
  officer: Principal;
}

/** Name of the world's service. */
export const SERVICE = "integration-service";

export async function createWorld(options: Partial<ActorsOptions> = {}): Promise<World> {
  const database = await createDatabase();
  const storeId = crypto.randomUUID();
  return {
    database,
    admin: database.admin,
    actors: createActors(database.pool("customer_api", 8), { requests: await requestSettings(), ...options }),
    storeId,
    staff: { id: crypto.randomUUID(), type: "STAFF", storeId, roles: ["CUSTOMER_MANAGER"] },
    system: { id: crypto.randomUUID(), type: "SYSTEM", storeId, roles: [], service: SERVICE },
    officer: { id: crypto.randomUUID(), type: "STAFF", storeId, roles: ["PRIVACY_OFFICER"] },
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}

export function customerRef({ storeId }: World, id: string = crypto.randomUUID()): ActorRef {
  return { kind: "customer", storeId, id };
}

export function groupRef({ storeId }: World, id: string = crypto.randomUUID()): ActorRef {
  return { kind: "shopper_group", storeId, id };
}

/** The principal of a customer who has just signed in, at whatever time a test sets. */
export function shopper({ storeId, id }: ActorRef): Principal {
  return { id, type: "CUSTOMER", storeId, roles: [], authenticatedAt: new Date(Date.UTC(2999, 0)) };
}

/** Sends a command: decisions as a privacy officer, others as a service, unless the context names another principal. */
export function tell(
  world: World,
  ref: ActorRef,
  type: string,
  fields: Record<string, unknown> = {},
  context: Partial<CommandContext> = {},
): Promise<Answer> {
  return world.actors.sendUnchecked(ref, { type, ...fields }, {
    by: DECISIONS.some((decision) => decision === type) ? world.officer : world.system,
    traceparent: newTraceparent(),
    ...context,
  });
}

export async function register(world: World, fields: Record<string, unknown> = {}): Promise<ActorRef> {
  const ref = customerRef(world);
  await tell(world, ref, "register", { email: `${ref.id}@example.com`, ...fields });
  return ref;
}

/** Maps items with eight concurrent calls, as many as the pool has connections: no call waits for long. */
export async function mapConcurrently<Item, Result>(
  items: Iterable<Item>,
  map: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const entries = Iterator.from(items).map((item, index) => [index, item] as const);
  const results: Result[] = [];
  const work = async () => {
    for (const [index, item] of entries) results[index] = await map(item);
  };
  await Promise.all(Array.from({ length: 8 }, work));
  return results;
}

export async function createGroup(world: World, fields: Record<string, unknown> = {}): Promise<ActorRef> {
  const ref = groupRef(world);
  const values = { name: ref.id, priceListId: crypto.randomUUID(), priority: 0, ...fields };
  await tell(world, ref, "group.create", values);
  return ref;
}

export const ADDRESS = { line1: "Bahnhofstrasse 1", city: "Zürich", postalCode: "8001", country: "CH" };
