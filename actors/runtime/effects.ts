/** Effects: work that follows from an event, performed by the worker after the transaction, at least once. */
import type { Sql } from "../../db/connect.ts";
import type { ClaimedEffect } from "../../db/effects.ts";
import type { Actors, CommandMap } from "./protocol.ts";

export interface EffectContext<Commands extends CommandMap = CommandMap> {
  actors: Pick<Actors<Commands>, "send">;
  /** A pool of the role customer_api. */
  sql: Sql;
  /** Aborted when the service stops. An effect that takes long ends early then and is performed again. */
  signal: AbortSignal;
}

/** `more`: the effect has made progress and continues at once, with a new claim. */
export type Performed = "done" | "more";

/** Performs an effect. It may be called again for the same effect after a crash, so it is idempotent. */
export type Performer<Commands extends CommandMap = CommandMap> = (
  effect: ClaimedEffect,
  context: EffectContext<Commands>,
) => Promise<Performed>;
