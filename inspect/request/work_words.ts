/** What waits to happen to a request, in words. */
import type { OpenEffect, WaitingTimer } from "../../db/actor_work.ts";
import { eventWords, sentence } from "../words.ts";

const EFFECTS: Readonly<Record<string, string>> = {
  "source.collect": "collecting the data",
  "export.compile": "making the documents",
  "erasure.verify": "scanning for what is left",
};

export function effectWords({ type, params }: Pick<OpenEffect, "type" | "params">): string {
  const words = Object.hasOwn(EFFECTS, type) ? EFFECTS[type]! : type.replaceAll(/[._]+/g, " ");
  return params.service === undefined ? words : `${words} of ${params.service}`;
}

const TIMERS: Readonly<Record<string, string>> = {
  "clock.at_risk": "The due date counts as near, seven days ahead",
  "clock.overdue": "The request becomes overdue",
};

export function timerWords({ event: { type, service } }: Pick<WaitingTimer, "event">): string {
  if (Object.hasOwn(TIMERS, type)) return TIMERS[type]!;
  if (type === "ask" && service !== undefined) return `${service} is asked again`;
  if (type.startsWith("xstate.after.UNTIL_START.")) return "The work begins, unless something holds it back";
  const asked = /^xstate\.after\.\d+\..*\.([^.]+)\.asked$/.exec(type)?.[1];
  return asked === undefined
    ? sentence(eventWords(type))
    : `${asked} counts as overdue if it has not answered`;
}
