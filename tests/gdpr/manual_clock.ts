/** World with a clock that the test sets, and timers that it fires one by one. */
import type { RequestSettings } from "../../actors/gdpr/requests/behavior.ts";
import type { Principal } from "../../domain/principal.ts";
import type { ActorRef } from "../../actors/commands.ts";
import type { ClaimedTimer } from "../../db/timers.ts";
import { requestSettings } from "../actors/settings.ts";
import { createWorld, type World } from "../actors/world.ts";

export const DAY = 24 * 60 * 60_000;

export interface ManualClockWorld extends World {
  /** The current time of the actors. */
  now: Date;
  clock: () => Date;
  settings: RequestSettings;
  officer: Principal;
}

export async function createManualClockWorld(
  changes: Partial<RequestSettings> = {},
  start = new Date("2026-03-10T09:00:00Z"),
): Promise<ManualClockWorld> {
  const settings = await requestSettings(changes);
  const time = { now: start };
  const clock = () => time.now;
  const world = await createWorld({ requests: settings, clock });
  const officer: Principal = { ...world.staff, roles: ["PRIVACY_OFFICER"] };
  return Object.assign(time, world, { clock, settings, officer });
}

/**
 * Fires the actor's timer of that name: moves the clock to its due time unless that has passed. Returns false if
 * there is no such timer or the machine dropped its event.
 */
export async function fireTimer(world: ManualClockWorld, { id }: ActorRef, name: string): Promise<boolean> {
  const [due] = await world.admin`select due_at from timers where actor_id = ${id} and name = ${name}`;
  if (!due) return false;
  if (due.dueAt > world.now) world.now = due.dueAt;
  const [claimed] = await world.admin<ClaimedTimer[]>`
    update timers set due_at = ${new Date(world.now.getTime() + 60_000)}, attempts = attempts + 1
    where actor_id = ${id} and name = ${name}
    returning store_id, actor_kind, actor_id, name, event, attempts, due_at as claimed_until`;
  return claimed !== undefined && await world.actors.fire(claimed);
}
