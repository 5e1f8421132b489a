/** Stores an event and what follows from it, in the event's transaction: journal, outbox, effects and timers. */
import { v7 as newId } from "uuid";
import { insertActorEvent } from "../../db/actor_events.ts";
import type { Tx } from "../../db/connect.ts";
import { insertEffect } from "../../db/effects.ts";
import { insertOutbox } from "../../db/outbox.ts";
import { cancelTimer, setTimer } from "../../db/timers.ts";
import { addMilliseconds } from "../../lib/dates.ts";
import { traceIdOf } from "../../lib/trace_context.ts";
import type { ActionPlan, Perform } from "./action_plan.ts";
import type { RecordedEvent } from "./recorded_event.ts";

export async function record(tx: Tx, event: RecordedEvent, plan: ActionPlan): Promise<void> {
  // Statements of one transaction are sent in one write when nothing waits between them.
  await Promise.all([
    insertActorEvent(tx, journalRow(event)),
    ...(plan.messages.length > 0 ? [insertOutbox(tx, plan.messages)] : []),
    ...plan.effects.map((effect) => insertEffect(tx, effectRow(event, effect))),
    ...plan.timers.map((timer) => storeTimer(tx, event, timer)),
  ]);
}

function actorOf({ ref }: RecordedEvent) {
  return { storeId: ref.storeId, actorKind: ref.kind, actorId: ref.id };
}

function journalRow(event: RecordedEvent) {
  const { sequence, eventType, about, transitions, before, after, changedFields, reason, note, by, at } =
    event;
  return {
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
  };
}

function effectRow(event: RecordedEvent, { effect, params }: Perform) {
  const { traceparent, at } = event;
  return {
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

async function storeTimer(
  tx: Tx,
  event: RecordedEvent,
  timer: ActionPlan["timers"][number],
): Promise<void> {
  const actor = actorOf(event);
  if ("cancel" in timer) return await cancelTimer(tx, { ...actor, name: timer.cancel });
  const { traceparent, at } = event;
  const { id: name, event: raised, delay } = timer;
  await setTimer(tx, {
    ...actor,
    name,
    event: raised,
    traceparent,
    dueAt: addMilliseconds(at, delay),
    createdAt: at,
  });
}
