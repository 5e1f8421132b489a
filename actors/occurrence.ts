/** What has happened to an actor: the material of journal and events. */
import type { Principal } from "./principal.ts";
import type { ActorRef } from "./protocol.ts";

/** An event that a machine has accepted, with everything that the world may be told of it. */
export interface Occurrence {
  ref: ActorRef;
  eventType: string;
  /** Undefined for the event that made the actor. */
  before: { state: string; version: number } | undefined;
  after: { state: string; version: number };
  changedFields: readonly string[];
  by: Principal;
  at: Date;
  traceId: string;
}
