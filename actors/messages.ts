/** The messages that an occurrence becomes, in protobuf's canonical JSON. Ids and names of fields only. */
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
export function toMessages(occurrence: RecordedEvent, { type, params }: RecordedAction): OutboxRow[] {
  if (type === "publish") return [domainMessage(occurrence, params as Publish)];
  if (type === "audit") return [auditMessage(occurrence, params as Audit)];
  return [];
}

/** What a customer's machine publishes, on the topic of its name. */
export function domainMessage(occurrence: RecordedEvent, event: Publish): OutboxRow {
  const eventId = newId();
  const common = { ...envelope(occurrence, eventId), customerId: occurrence.customerId ?? "" };
  return outboxRow(occurrence, eventId, event.topic, domainPayload(event, common));
}

function domainPayload(
  event: Publish,
  common: ReturnType<typeof envelope> & { customerId: string },
): JsonValue {
  switch (event.topic) {
    case "customer.created":
      return toJson(CustomerCreatedSchema, create(CustomerCreatedSchema, common));
    case "customer.updated": {
      const changedFields = [...event.changedFields];
      return toJson(CustomerUpdatedSchema, create(CustomerUpdatedSchema, { ...common, changedFields }));
    }
    case "customer.group_assigned": {
      const { groupId } = event;
      return toJson(CustomerGroupAssignedSchema, create(CustomerGroupAssignedSchema, { ...common, groupId }));
    }
    case "customer.group_removed": {
      const { groupId } = event;
      return toJson(CustomerGroupRemovedSchema, create(CustomerGroupRemovedSchema, { ...common, groupId }));
    }
    case "customer.erasure_requested": {
      const { requestId, emailHash } = event;
      const told = { ...common, requestId, emailHash, participants: [...event.participants] };
      return toJson(CustomerErasureRequestedSchema, create(CustomerErasureRequestedSchema, told));
    }
    case "customer.erased": {
      const { requestId, emailHash } = event;
      const told = { ...common, requestId, emailHash, erasedAt: timestampFromDate(event.erasedAt) };
      return toJson(CustomerErasedSchema, create(CustomerErasedSchema, told));
    }
  }
}

/** Who did what to which entity, for the platform's audit log. */
export function auditMessage(occurrence: RecordedEvent, { action }: Audit): OutboxRow {
  const { ref, before, after, by, changedFields } = occurrence;
  const eventId = newId();
  const message = create(AuditEventSchema, {
    ...envelope(occurrence, eventId),
    customerId: occurrence.customerId ?? "",
    action,
    actor: { id: by.id, type: by.type },
    target: { type: ref.kind, id: ref.id },
    ...(before && { before }),
    after,
    changedFields: [...changedFields],
  });
  return outboxRow(occurrence, eventId, "audit.event", toJson(AuditEventSchema, message));
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
function outboxRow(occurrence: RecordedEvent, eventId: string, topic: string, payload: unknown): OutboxRow {
  const { ref, at, traceparent } = occurrence;
  const key = occurrence.customerId ?? ref.id;
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
