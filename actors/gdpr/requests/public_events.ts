/** Public names of a request's events: a contract that is independent of the names in the machines and in XState. */
import type { ActorEventRow } from "../../../db/actor_events.ts";
import type { PublicEvent } from "../../runtime/behavior.ts";

/** Public names of the timers by their delay, which is part of XState's name of the event. */
const TIMERS: Readonly<Record<string, string>> = {
  UNTIL_FETCH_WAIT_ENDS: "download_wait.ended",
  UNTIL_EXPIRY: "export.expired",
  UNTIL_INFORMATION_EXPIRES: "information.expired",
};
/** Public names of the end of UNTIL_START by the state in which it ends. */
const STARTS: Readonly<Record<string, string>> = {
  "PENDING.grace": "grace.ended",
  "PENDING.recorded": "work.started",
};
const TIMER = "xstate.after.";
const [BEFORE_SERVICE, AFTER_SERVICE] = ["IN_PROGRESS.awaiting_confirmations.", ".asked"];

/** Returns the public name and the participant of an event of a request's machine. */
export function publicEvent({ type, service = "" }: { type: string; service?: string }): PublicEvent {
  const { name, about } = type === "ask"
    ? { name: "participant.asked_again", about: null }
    : timerEvent(type) ?? { name: type, about: null };
  return { name, about: service || about };
}

/** @param type XState's name: `xstate.after.`, the delay, the machine and the state, separated by dots */
function timerEvent(type: string): PublicEvent | undefined {
  if (!type.startsWith(TIMER)) return undefined;
  const [delay = "", , ...path] = type.slice(TIMER.length).split(".");
  const state = path.join(".");
  if (delay === "UNTIL_START") {
    const name = Object.hasOwn(STARTS, state) ? STARTS[state] : undefined;
    return name === undefined ? undefined : { name, about: null };
  }
  if (Object.hasOwn(TIMERS, delay)) return { name: TIMERS[delay]!, about: null };
  if (!Number.isInteger(Number(delay)) || !state.startsWith(BEFORE_SERVICE)) return undefined;
  if (!state.endsWith(AFTER_SERVICE)) return undefined;
  return { name: "participant.overdue", about: state.slice(BEFORE_SERVICE.length, -AFTER_SERVICE.length) };
}

/** Converts a row of the journal to current names: earlier versions stored the machine's types and no participants. */
export function publicRow<Row extends Pick<ActorEventRow, "eventType" | "about">>(row: Row): Row {
  const { name, about } = publicEvent({ type: row.eventType });
  return { ...row, eventType: name, about: row.about ?? about };
}
