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
  EmailHashSchema,
  GdprNoticeDueSchema,
} from "../proto/gen/io/shopstar/customer/v1/events_pb.ts";
import type { Principal } from "../domain/principal.ts";
import { traceIdOf } from "../lib/trace_context.ts";
import type { Audit, Publish } from "./actions.ts";
import { fieldNames } from "./runtime/changes.ts";
import type { RecordedAction, RecordedEvent } from "./runtime/recorded_event.ts";

/** Message that an action of a machine publishes or writes into the audit log. */
export function toMessages(event: RecordedEvent, { type, params }: RecordedAction): OutboxRow[] | undefined {
  if (type === "publish") return [domainMessage(event, params as Publish)];
  if (type === "audit") return [auditMessage(event, params as Audit)];
  return undefined;
}

/** A message about a customer. Those of other actors bring the customer's version. */
export function domainMessage(event: RecordedEvent, message: Publish): OutboxRow {
  const eventId = newId();
  const version = "customerVersion" in message ? message.customerVersion : event.after.version;
  const common = { ...envelope(event, eventId), customerId: event.customerId ?? "", version };
  const payload = domainPayload(message, common, event.partVersion);
  return outboxRow(event, eventId, message.topic, payload);
}

function domainPayload(
  message: Publish,
  common: ReturnType<typeof envelope> & { customerId: string; version: number },
  membershipVersion: number,
): JsonValue {
  switch (message.topic) {
    case "customer.created":
      return toJson(CustomerCreatedSchema, create(CustomerCreatedSchema, common));
    case "customer.updated": {
      const { status } = message;
      const updated = {
        ...common,
        changedFields: fieldNames(message.changedFields),
        ...(status && { status }),
      };
      return toJson(CustomerUpdatedSchema, create(CustomerUpdatedSchema, updated));
    }
    case "customer.group_assigned": {
      const { groupId } = message;
      const assigned = { ...common, groupId, membershipVersion };
      return toJson(CustomerGroupAssignedSchema, create(CustomerGroupAssignedSchema, assigned));
    }
    case "customer.group_removed": {
      const { groupId } = message;
      const removed = { ...common, groupId, membershipVersion };
      return toJson(CustomerGroupRemovedSchema, create(CustomerGroupRemovedSchema, removed));
    }
    case "customer.erasure_requested": {
      const { requestId } = message;
      const emailHashes = message.emailHashes.map((hash) => create(EmailHashSchema, hash));
      const fields = { ...common, requestId, emailHashes, participants: [...message.participants] };
      return toJson(CustomerErasureRequestedSchema, create(CustomerErasureRequestedSchema, fields));
    }
    case "customer.erased": {
      const { requestId, keyId, proof } = message;
      const fields = {
        ...common,
        requestId,
        emailHashes: [...message.emailHashes],
        erasedAt: timestampFromDate(message.erasedAt),
        keyId,
        proof,
        waivedParticipants: [...message.waivedParticipants],
      };
      return toJson(CustomerErasedSchema, create(CustomerErasedSchema, fields));
    }
    case "gdpr.notice_due": {
      const { noticeId, requestId, kind, attempt } = message;
      const { version: _, ...ids } = common;
      const fields = { ...ids, noticeId, requestId, kind, attempt };
      return toJson(GdprNoticeDueSchema, create(GdprNoticeDueSchema, fields));
    }
  }
}

/** Entry of the platform's audit log: principal, action and entity. */
export function auditMessage(event: RecordedEvent, { action }: Audit): OutboxRow {
  const { ref, before, after, by, changedFields } = event;
  const eventId = newId();
  const message = create(AuditEventSchema, {
    ...envelope(event, eventId),
    customerId: event.customerId ?? "",
    action,
    actor: actorOf(by),
    target: { type: ref.kind, id: ref.id },
    ...(before && { before }),
    after,
    changedFields: fieldNames(changedFields),
  });
  return outboxRow(event, eventId, "audit.event", toJson(AuditEventSchema, message));
}

/** The principal as the audit log names it. */
export function actorOf({ id, type, roles, service }: Principal) {
  return { id, type, roles: [...roles], service: service ?? "" };
}

function envelope({ ref, at, traceparent }: RecordedEvent, eventId: string) {
  return {
    eventId,
    storeId: ref.storeId,
    occurredAt: timestampFromDate(at),
    traceId: traceIdOf(traceparent),
  };
}

/** Attributes of CloudEvents are headers, in Kafka's binary form; the relay adds those that depend on the deployment. */
export function cloudEventHeaders(
  { eventId, key, at, traceparent }: { eventId: string; key: string; at: Date; traceparent: string },
): Record<string, string> {
  return { ce_id: eventId, ce_time: at.toISOString(), ce_subject: key, traceparent };
}

function outboxRow(event: RecordedEvent, eventId: string, topic: string, payload: unknown): OutboxRow {
  const { ref, at, traceparent } = event;
  const key = event.customerId ?? ref.id;
  return {
    storeId: ref.storeId,
    eventId,
    topic,
    key,
    payload: payload as OutboxRow["payload"],
    headers: cloudEventHeaders({ eventId, key, at, traceparent }),
    createdAt: at,
  };
}
