/** Journals as the runtime would write them, from events put to a machine. */
import { type AnyStateMachine, type EventObject, initialTransition, transition } from "xstate";
import { stateName } from "../../actors/occurrence.ts";
import type { JournalEntry } from "../../inspect/chart/mod.tsx";

const DAY = 24 * 60 * 60_000;
const RECEIVED = Date.UTC(2026, 2, 10);

export const inputOf = (participants: readonly string[]) => ({
  participants: [...participants],
  cause: "REQUEST",
  receivedAt: RECEIVED,
  dueAt: RECEIVED + 31 * DAY,
  startsAt: RECEIVED + DAY,
  spread: 0,
});

/** @param events their types, or the events themselves; one that the machine refuses is an error of the test */
export function tell(
  machine: AnyStateMachine,
  participants: readonly string[],
  events: readonly (string | EventObject)[],
): JournalEntry[] {
  let [state] = initialTransition(machine, inputOf(participants));
  const journal = [{
    sequence: 1,
    eventType: "open",
    stateBefore: null as string | null,
    stateAfter: stateName(state),
  }];
  for (const given of events) {
    const event = { at: RECEIVED, ...(typeof given === "string" ? { type: given } : given) };
    if (!state.can(event)) throw new Error(`${event.type} in ${stateName(state)}`);
    const stateBefore = stateName(state);
    [state] = transition(machine, state, event);
    journal.push({
      sequence: journal.length + 1,
      eventType: event.type,
      stateBefore,
      stateAfter: stateName(state),
    });
  }
  return journal;
}

/** The event of a delay, as the machine's own timers bring it. */
export function afterDelay(machine: AnyStateMachine, stateId: string): string {
  const [delayed] = machine.getStateNodeById(stateId).after;
  if (!delayed) throw new Error(`${stateId} has no delay`);
  return delayed.eventType;
}

export const many = (count: number) =>
  Array.from({ length: count }, (_, index) => `service-${String(index + 1).padStart(2, "0")}`);
