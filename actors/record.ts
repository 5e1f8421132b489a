/** Stores what an event has come to: journal, outbox, timers and effects, all in the event's transaction. */
import { v7 as newId } from "uuid";
import type { EventObject } from "xstate";
import { insertActorEvent } from "../db/actor_events.ts";
import type { Tx } from "../db/connect.ts";
import { insertEffect } from "../db/effects.ts";
import { insertOutbox } from "../db/outbox.ts";
import { cancelTimer, setTimer } from "../db/timers.ts";
import { traceIdOf } from "../telemetry/traceparent.ts";
import { auditMessage, domainMessage } from "./messages.ts";
import type { Occurrence, RecordedAction } from "./occurrence.ts";
import type { Audit, Perform, Publish } from "./outbound.ts";

export async function record(
  tx: Tx,
  occurrence: Occurrence,
  actions: readonly RecordedAction[],
): Promise<void> {
  const { ref, eventType, before, after, changedFields, reason, by, at } = occurrence;
  const actor = { storeId: ref.storeId, actorKind: ref.kind, actorId: ref.id };
  const messages = actions.flatMap(({ type, params }) => {
    if (type === "publish") return [domainMessage(occurrence, params as Publish)];
    if (type === "audit") return [auditMessage(occurrence, params as Audit)];
    return [];
  });
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
  { ref, at, traceparent }: Occurrence,
  { type, params }: RecordedAction,
): Promise<void> {
  const actor = { storeId: ref.storeId, actorKind: ref.kind, actorId: ref.id };
  switch (type) {
    case "publish":
    case "audit":
      return;
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
