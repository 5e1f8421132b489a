/** Rows that an event stores in addition to the actor's own: journal, outbox, effects and timers. */
import { v7 as newId } from "uuid";
import type { Commit } from "../../db/commits.ts";
import type { TimerKey, TimerRow } from "../../db/timers.ts";
import { addMilliseconds } from "../../lib/dates.ts";
import { traceIdOf } from "../../lib/trace_context.ts";
import type { ActionPlan, Perform } from "./action_plan.ts";
import type { RecordedEvent } from "./recorded_event.ts";

/** Returns the commit of an event, without the actor's own rows. */
export function commitOf(event: RecordedEvent, plan: Omit<ActionPlan, "own">): Commit {
  return {
    storeId: event.ref.storeId,
    journal: journalRow(event),
    outbox: plan.messages,
    effects: plan.effects.map((effect) => effectRow(event, effect)),
    timers: timerRows(event, plan.timers),
  };
}

function actorOf({ ref }: RecordedEvent) {
  return { actorKind: ref.kind, actorId: ref.id };
}

function journalRow(event: RecordedEvent) {
  const {
    sequence,
    eventType,
    about,
    transitions,
    before,
    after,
    changedFields,
    reason,
    note,
    failure,
    by,
    at,
  } = event;
  return {
    storeId: event.ref.storeId,
    ...actorOf(event),
    sequence,
    eventType,
    stateBefore: before?.state ?? null,
    stateAfter: after.state,
    principalId: by.id,
    principalType: by.type,
    principalService: by.service ?? null,
    changedFields,
    reason: reason ?? null,
    reasonGiven: reason !== undefined,
    note: note ?? null,
    noteGiven: note !== undefined,
    at,
    about,
    transitions,
    failure: failure ?? null,
  };
}

function effectRow(event: RecordedEvent, { effect, params }: Perform) {
  const { ref, traceparent, at } = event;
  return {
    storeId: ref.storeId,
    ...actorOf(event),
    effectId: newId(),
    type: effect,
    params,
    traceId: traceIdOf(traceparent),
    traceparent,
    dueAt: at,
    createdAt: at,
  };
}

/** A timer that is canceled and set, or set twice, is as the machine leaves it. */
function timerRows(event: RecordedEvent, timers: ActionPlan["timers"]): (TimerRow | TimerKey)[] {
  const { ref: { storeId }, traceparent, at } = event;
  const rows = new Map<string, TimerRow | TimerKey>();
  for (const timer of timers) {
    const name = "cancel" in timer ? timer.cancel : timer.id;
    const key = { storeId, ...actorOf(event), name };
    rows.set(
      name,
      "cancel" in timer
        ? key
        : { ...key, event: timer.event, traceparent, dueAt: addMilliseconds(at, timer.delay), createdAt: at },
    );
  }
  return [...rows.values()];
}
