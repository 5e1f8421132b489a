/** Labels of the pending work of a request. */
import { FAILING_ATTEMPTS, type OpenEffect, type WaitingTimer } from "../../db/actor_work.ts";
import type { StateValue } from "xstate";
import { publicEvent } from "../../actors/gdpr/requests/public_events.ts";
import { capitalize, eventLabel } from "../labels.ts";
import { phaseOf, regionsOf } from "./status.ts";

const EFFECTS: Readonly<Record<string, string>> = {
  "source.collect": "collecting the data",
  "export.compile": "creating the documents",
  "erasure.verify": "scanning for remaining data",
};

export function effectLabel({ type, params }: Pick<OpenEffect, "type" | "params">): string {
  const words = Object.hasOwn(EFFECTS, type) ? EFFECTS[type]! : type.replaceAll(/[._]+/g, " ");
  return params.service === undefined ? words : `${words} of ${params.service}`;
}

/** Whether a request in this state still waits for a permanently failed effect. */
const IS_NEEDED: Readonly<Record<string, (state: StateValue, service: string | undefined) => boolean>> = {
  "source.collect": (state, service) =>
    regionsOf(state).some((region) => region.service === service && region.state === "asked"),
  "export.compile": (state) => phaseOf(state) === "IN_PROGRESS.compiling",
  "erasure.verify": (state) => phaseOf(state) === "IN_PROGRESS.verifying",
};

/** Permanently failed effects that the request waits for and that no pending effect retries. */
export function abandonedEffects(effects: readonly OpenEffect[], state: StateValue): OpenEffect[] {
  const pending = effects.filter((effect) => effect.state === "PENDING");
  const isRetried = ({ type, params }: OpenEffect) =>
    pending.some((other) => other.type === type && other.params.service === params.service);
  return effects.filter((effect) => {
    const needed = Object.hasOwn(IS_NEEDED, effect.type) ? IS_NEEDED[effect.type] : undefined;
    return effect.state === "POISONED" && !isRetried(effect) &&
      (needed?.(state, effect.params.service) ?? true);
  });
}

/** Work that has failed several times in a row and is retried automatically, each with its last error. */
export function failingWork(
  timers: readonly WaitingTimer[],
  effects: readonly OpenEffect[],
): { label: string; attempts: number; lastError: string | null }[] {
  const pending = effects.filter(({ state }) => state === "PENDING");
  return [
    ...timers.map((timer) => ({ ...timer, label: timerLabel(timer) })),
    ...pending.map((effect) => ({ ...effect, label: capitalize(effectLabel(effect)) })),
  ].filter(({ attempts }) => attempts >= FAILING_ATTEMPTS)
    .map(({ label, attempts, lastError }) => ({ label, attempts, lastError }));
}

const START =
  "The work starts, unless the request is on hold or waits for an access request or for the customer's download";

const TIMERS: Readonly<Record<string, string>> = {
  "clock.at_risk": "The due date is marked as near, seven days before",
  "clock.overdue": "The request becomes overdue",
  "grace.ended": START,
  "work.started": START,
  "download_wait.ended": "The erasure no longer waits for the customer's download",
  "export.expired": "The documents expire",
};

export function timerLabel({ event }: Pick<WaitingTimer, "event">): string {
  const { name, about } = publicEvent(event);
  if (Object.hasOwn(TIMERS, name)) return TIMERS[name]!;
  if (name === "participant.asked_again") return `${about} is asked again`;
  if (name === "participant.overdue") return `${about} is marked as overdue if it has not answered`;
  return capitalize(eventLabel(name, about));
}
