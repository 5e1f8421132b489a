/** Stores what an event has come to: journal, outbox, timers and effects, all in the event's transaction. */
import { v7 as newId } from "uuid";
import type { EventObject } from "xstate";
import { insertActorEvent } from "../../db/actor_events.ts";
import type { Tx } from "../../db/connect.ts";
import { insertEffect } from "../../db/effects.ts";
import { insertOutbox, type OutboxRow } from "../../db/outbox.ts";
import { cancelTimer, setTimer } from "../../db/timers.ts";
import { traceIdOf } from "../../lib/trace_context.ts";
import type { RecordedAction, RecordedEvent } from "./recorded_event.ts";

/** The messages for other services that an action asks for; none for any other action. */
export type ToMessages = (event: RecordedEvent, action: RecordedAction) => OutboxRow[];

/** Parameters of the action `perform`: work for the worker, done after the transaction and at least once. */
interface Perform {
  effect: string;
  params: Record<string, string>;
}

export async function record(
  tx: Tx,
  occurrence: RecordedEvent,
  actions: readonly RecordedAction[],
  toMessages: ToMessages,
): Promise<void> {
  const { ref, eventType, before, after, changedFields, reason, by, at } = occurrence;
  const actor = { storeId: ref.storeId, actorKind: ref.kind, actorId: ref.id };
  const messages = actions.flatMap((action) => toMessages(occurrence, action));
  // Statements of one transaction go out in one write when nobody waits between them.
  await Promise.all([
    insertActorEvent(tx, {
      ...actor,
      sequence: after.version,
      eventType,
      stateBefore: before?.state ?? null,
      stateAfter: after.state,
      principalId: by.id,
      principalType: by.type,
      changedFields,
      reason: reason ?? null,
      at,
    }),
    ...(messages.length > 0 ? [insertOutbox(tx, messages)] : []),
    ...actions.map((action) => perform(tx, occurrence, action)),
  ]);
}

async function perform(
  tx: Tx,
  { ref, at, traceparent }: RecordedEvent,
  { type, params }: RecordedAction,
): Promise<void> {
  const actor = { storeId: ref.storeId, actorKind: ref.kind, actorId: ref.id };
  switch (type) {
    case "perform": {
      const { effect, params: effectParams } = params as Perform;
      const row = {
        ...actor,
        effectId: newId(),
        type: effect,
        params: effectParams,
        traceId: traceIdOf(traceparent),
        traceparent,
        dueAt: at,
        createdAt: at,
      };
      return await insertEffect(tx, row);
    }
    case "xstate.raise": {
      const { id, event, delay } = params as { id: string; event: EventObject; delay: number };
      const dueAt = new Date(at.getTime() + delay);
      return await setTimer(tx, { ...actor, name: id, event, traceparent, dueAt, createdAt: at });
    }
    case "xstate.cancel":
      return await cancelTimer(tx, { ...actor, name: (params as { sendId: string }).sendId });
  }
}
