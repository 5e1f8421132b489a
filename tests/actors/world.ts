/** A store of its own with real actors, for tests that speak to them as an edge would. */
import { type ActorsOptions, createActors } from "../../actors/mod.ts";
import { DECISIONS } from "../../actors/gdpr/requests/offers.ts";
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
  /** The superuser's pool, for looking at what the actors have stored. */
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

/** The shopper behind a customer. */
export function shopper({ storeId, id }: ActorRef): Principal {
  return { id, type: "CUSTOMER", storeId, roles: [] };
}

/** Sends a command as a service, a decision about a request as a privacy officer, or as another caller. */
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

/** Does it for each, by eights, as callers do who wait for their answers: a pool makes nobody wait for long. */
export async function byEights<Item, Result>(
  items: Iterable<Item>,
  each: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const entries = Iterator.from(items).map((item, at) => [at, item] as const);
  const results: Result[] = [];
  const work = async () => {
    for (const [at, item] of entries) results[at] = await each(item);
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
