/** What waits to happen to a request, in words. */
import type { OpenEffect, WaitingTimer } from "../../db/actor_work.ts";
import type { StateValue } from "xstate";
import { publicEvent } from "../../actors/gdpr/requests/public_events.ts";
import { eventWords, sentence } from "../words.ts";
import { phaseOf, regionsOf } from "./standing.ts";

const EFFECTS: Readonly<Record<string, string>> = {
  "source.collect": "collecting the data",
  "export.compile": "making the documents",
  "erasure.verify": "scanning for what is left",
};

export function effectWords({ type, params }: Pick<OpenEffect, "type" | "params">): string {
  const words = Object.hasOwn(EFFECTS, type) ? EFFECTS[type]! : type.replaceAll(/[._]+/g, " ");
  return params.service === undefined ? words : `${words} of ${params.service}`;
}

/** Where what was given up is still waited for; somebody has seen to it everywhere else. */
const NEEDED: Readonly<Record<string, (state: StateValue, service: string | undefined) => boolean>> = {
  "source.collect": (state, service) =>
    regionsOf(state).some((region) => region.service === service && region.state === "asked"),
  "export.compile": (state) => phaseOf(state) === "IN_PROGRESS.compiling",
  "erasure.verify": (state) => phaseOf(state) === "IN_PROGRESS.verifying",
};

/** The effects that were given up, that the request waits for, and that are not tried anew. */
export function givenUp(effects: readonly OpenEffect[], state: StateValue): OpenEffect[] {
  const pending = effects.filter((effect) => effect.state === "PENDING");
  const isTriedAnew = ({ type, params }: OpenEffect) =>
    pending.some((other) => other.type === type && other.params.service === params.service);
  return effects.filter((effect) => {
    const needed = Object.hasOwn(NEEDED, effect.type) ? NEEDED[effect.type] : undefined;
    return effect.state === "POISONED" && !isTriedAnew(effect) &&
      (needed?.(state, effect.params.service) ?? true);
  });
}

const BEGINNING = "The work begins, unless something holds it back";

const TIMERS: Readonly<Record<string, string>> = {
  "clock.at_risk": "The due date counts as near, seven days ahead",
  "clock.overdue": "The request becomes overdue",
  "grace.ended": BEGINNING,
  "work.started": BEGINNING,
};

export function timerWords({ event }: Pick<WaitingTimer, "event">): string {
  const { name, about } = publicEvent(event);
  if (Object.hasOwn(TIMERS, name)) return TIMERS[name]!;
  if (name === "participant.asked_again") return `${about} is asked again`;
  if (name === "participant.overdue") return `${about} counts as overdue if it has not answered`;
  return sentence(eventWords(name, about));
}
