/** The messages that an event becomes, in protobuf's canonical JSON. Ids and names of fields only. */
import { create, type JsonValue, toJson } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { v7 as newId } from "uuid";
import type { OutboxRow } from "../db/outbox.ts";
import { AuditEventSchema } from "../proto/gen/io/shopstar/audit/v1/events_pb.ts";
import {
  CustomerCreatedSchema,
  CustomerErasedSchema,
  CustomerErasureRequestedSchema,
  CustomerGroupAssignedSchema,
  CustomerGroupRemovedSchema,
  CustomerUpdatedSchema,
} from "../proto/gen/io/shopstar/customer/v1/events_pb.ts";
import { traceIdOf } from "../lib/trace_context.ts";
import type { Audit, Publish } from "./actions.ts";
import type { RecordedAction, RecordedEvent } from "./runtime/recorded_event.ts";

const SOURCE = "/customer-service";

/** What an action of a machine asks to publish or to write into the audit log. */
export function toMessages(event: RecordedEvent, { type, params }: RecordedAction): OutboxRow[] | undefined {
  if (type === "publish") return [domainMessage(event, params as Publish)];
  if (type === "audit") return [auditMessage(event, params as Audit)];
  return undefined;
}

/** What a customer's machine publishes, on the topic of its name. */
export function domainMessage(event: RecordedEvent, message: Publish): OutboxRow {
  const eventId = newId();
  const common = { ...envelope(event, eventId), customerId: event.customerId ?? "" };
  return outboxRow(event, eventId, message.topic, domainPayload(message, common));
}

function domainPayload(
  message: Publish,
  common: ReturnType<typeof envelope> & { customerId: string },
): JsonValue {
  switch (message.topic) {
    case "customer.created":
      return toJson(CustomerCreatedSchema, create(CustomerCreatedSchema, common));
    case "customer.updated": {
      const changedFields = [...message.changedFields];
      return toJson(CustomerUpdatedSchema, create(CustomerUpdatedSchema, { ...common, changedFields }));
    }
    case "customer.group_assigned": {
      const { groupId } = message;
      return toJson(CustomerGroupAssignedSchema, create(CustomerGroupAssignedSchema, { ...common, groupId }));
    }
    case "customer.group_removed": {
      const { groupId } = message;
      return toJson(CustomerGroupRemovedSchema, create(CustomerGroupRemovedSchema, { ...common, groupId }));
    }
    case "customer.erasure_requested": {
      const { requestId, emailHash } = message;
      const told = { ...common, requestId, emailHash, participants: [...message.participants] };
      return toJson(CustomerErasureRequestedSchema, create(CustomerErasureRequestedSchema, told));
    }
    case "customer.erased": {
      const { requestId, emailHash } = message;
      const told = {
        ...common,
        requestId,
        emailHash,
        erasedAt: timestampFromDate(message.erasedAt),
        waivedParticipants: [...message.waivedParticipants],
      };
      return toJson(CustomerErasedSchema, create(CustomerErasedSchema, told));
    }
  }
}

/** Who did what to which entity, for the platform's audit log. */
export function auditMessage(event: RecordedEvent, { action }: Audit): OutboxRow {
  const { ref, before, after, by, changedFields } = event;
  const eventId = newId();
  const message = create(AuditEventSchema, {
    ...envelope(event, eventId),
    customerId: event.customerId ?? "",
    action,
    actor: { id: by.id, type: by.type },
    target: { type: ref.kind, id: ref.id },
    ...(before && { before }),
    after,
    changedFields: [...changedFields],
  });
  return outboxRow(event, eventId, "audit.event", toJson(AuditEventSchema, message));
}

function envelope({ ref, at, traceparent }: RecordedEvent, eventId: string) {
  return {
    eventId,
    storeId: ref.storeId,
    occurredAt: timestampFromDate(at),
    traceId: traceIdOf(traceparent),
  };
}

/** CloudEvents in Kafka's binary form: the attributes are headers, the value is the message alone. So is the trace. */
function outboxRow(event: RecordedEvent, eventId: string, topic: string, payload: unknown): OutboxRow {
  const { ref, at, traceparent } = event;
  const key = event.customerId ?? ref.id;
  return {
    storeId: ref.storeId,
    eventId,
    topic,
    key,
    payload: payload as OutboxRow["payload"],
    headers: {
      ce_specversion: "1.0",
      ce_id: eventId,
      ce_type: topic,
      ce_source: SOURCE,
      ce_time: at.toISOString(),
      ce_subject: key,
      traceparent,
    },
    createdAt: at,
  };
}
