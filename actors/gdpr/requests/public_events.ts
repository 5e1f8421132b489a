/** Public names of a request's events: a contract that is independent of the names in the machines and in XState. */
import type { ActorEventRow } from "../../../db/actor_events.ts";
import type { PublicEvent } from "../../runtime/behavior.ts";

/** Public names of timer events by their type in the machine. The first group of the pattern is the participant. */
const TIMERS: readonly [type: RegExp, name: string][] = [
  [/^xstate\.after\.UNTIL_START\.[^.]+\.PENDING\.grace$/, "grace.ended"],
  [/^xstate\.after\.UNTIL_START\.[^.]+\.PENDING\.recorded$/, "work.started"],
  [/^xstate\.after\.UNTIL_FETCH_WAIT_ENDS\./, "download_wait.ended"],
  [/^xstate\.after\.UNTIL_EXPIRY\./, "export.expired"],
  [/^xstate\.after\.UNTIL_INFORMATION_EXPIRES\./, "information.expired"],
  [
    /^xstate\.after\.\d+\.[^.]+\.IN_PROGRESS\.awaiting_confirmations\.(.+)\.asked$/,
    "participant.overdue",
  ],
  [/^ask$/, "participant.asked_again"],
];

/** Returns the public name and the participant of an event of a request's machine. */
export function publicEvent({ type, service }: { type: string; service?: string }): PublicEvent {
  for (const [pattern, name] of TIMERS) {
    const match = pattern.exec(type);
    if (match) return { name, about: service ?? match[1] ?? null };
  }
  return { name: type, about: service ?? null };
}

/** Converts a row of the journal to current names: earlier versions stored the machine's types and no participants. */
export function publicRow<Row extends Pick<ActorEventRow, "eventType" | "about">>(row: Row): Row {
  const { name, about } = publicEvent({ type: row.eventType });
  return { ...row, eventType: name, about: row.about ?? about };
}
