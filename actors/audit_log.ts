/** Audit log of accesses to personal data by staff and services, and of refusals, on the topic audit.event. */
import { getLogger } from "@logtape/logtape";
import { create, toJson } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { v7 as newId } from "uuid";
import { type FixedClock, readClock } from "../db/clock.ts";
import type { Sql, Tx } from "../db/connect.ts";
import { asDomainError } from "../db/errors.ts";
import { insertOutbox, type OutboxRow } from "../db/outbox.ts";
import { DomainError } from "../domain/errors.ts";
import type { Principal } from "../domain/principal.ts";
import { describeError } from "../lib/error_description.ts";
import { traceIdOf } from "../lib/trace_context.ts";
import { AuditEventSchema } from "../proto/gen/io/shopstar/audit/v1/events_pb.ts";
import { actorOf, cloudEventHeaders } from "./messages.ts";
import { ANSWER_LIMIT_MS, transact } from "./runtime/transaction.ts";

/** Kinds of accesses. Changes have actions of their own. */
export type AccessAction =
  | "CUSTOMER_READ"
  | "CUSTOMERS_LISTED"
  | "CUSTOMERS_EXPORTED"
  | "CUSTOMERS_IMPORTED"
  | "GDPR_REQUEST_READ"
  | "GDPR_REQUESTS_LISTED"
  | "ACCESS_REFUSED";

/** An access or a refusal. It has IDs only: no personal value and no search term. */
export interface Access {
  by: Principal;
  action: AccessAction;
  /** The operationId of the REST API, or the operation's name in the inspector; empty for several refusals. */
  operation: string;
  /** W3C trace context of the request. */
  traceparent: string;
  /** Absent for lists. */
  target?: { type: string; id: string } | undefined;
  /** The customer concerned, if it is a single one. */
  customerId?: string | undefined;
  /** Customers on a page of a list. */
  customerIds?: readonly string[];
  /** Number of records in the answer. */
  rows?: number | undefined;
  /** Number of refusals that an ACCESS_REFUSED stands for. */
  refusals?: number;
}

export interface AuditLog {
  /**
   * Stores an access durably. To be called before the answer is sent, which must not be sent if it throws.
   *
   * @throws {DomainError} UNAVAILABLE: the access cannot be recorded
   */
  record(access: Access): Promise<void>;
}

/** @param sql a pool of the role customer_api */
export function createAuditLog(sql: Sql, clock?: FixedClock): AuditLog {
  return {
    async record(access) {
      const { storeId } = access.by;
      try {
        const insert = async (tx: Tx) =>
          await insertOutbox(tx, [accessMessage(access, await readClock(tx, clock))]);
        await transact(sql, storeId, insert, { limitMs: ANSWER_LIMIT_MS });
      } catch (cause) {
        if (!asDomainError(cause)) {
          getLogger(["customer-service", "audit"]).error("Cannot record an access: {reason}", {
            reason: describeError(cause),
          });
        }
        throw new DomainError("UNAVAILABLE", "Cannot record the access, which is required: try again", {
          cause,
        });
      }
    },
  };
}

function accessMessage({ by, action, operation, traceparent, ...access }: Access, at: Date): OutboxRow {
  const eventId = newId();
  const { target, customerId, customerIds = [], rows, refusals } = access;
  const message = create(AuditEventSchema, {
    eventId,
    storeId: by.storeId,
    occurredAt: timestampFromDate(at),
    traceId: traceIdOf(traceparent),
    customerId: customerId ?? "",
    action,
    actor: actorOf(by),
    ...(target && { target }),
    operation,
    ...(rows !== undefined && { rows }),
    customerIds: [...new Set(customerIds)],
    ...(refusals !== undefined && { refusals }),
  });
  const key = customerId ?? target?.id ?? by.id;
  return {
    storeId: by.storeId,
    eventId,
    topic: "audit.event",
    key,
    payload: toJson(AuditEventSchema, message) as unknown as OutboxRow["payload"],
    headers: cloudEventHeaders({ eventId, key, at, traceparent }),
    createdAt: at,
  };
}
