/** How effects are performed. Every one may be performed again after a crash, so each is idempotent. */
import type { Sql } from "../../db/connect.ts";
import type { ClaimedEffect } from "../../db/effects.ts";
import type { Actors } from "./protocol.ts";

/** What effects work with. */
export interface EffectContext {
  actors: Actors;
  /** A pool of the role customer_api. */
  sql: Sql;
  /** Aborted when the service stops: an effect that goes on for long ends early and is performed again. */
  signal: AbortSignal;
}

/** `more`: it has come forward and wants to go on at once, in a claim of its own. */
export type Performed = "done" | "more";

export type Performer = (effect: ClaimedEffect, context: EffectContext) => Promise<Performed>;
