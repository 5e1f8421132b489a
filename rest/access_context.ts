/** Context of routes for authorization and for the audit log. */
import type { AuditLog } from "../actors/audit_log.ts";
import type { RefusalLog } from "../actors/refusal_log.ts";
import type { ServiceCallers } from "../domain/service_rights.ts";

/** Services that have each right, and the logs of accesses and refusals. */
export interface AccessControl {
  serviceCallers: ServiceCallers;
  audit: AuditLog;
  refusals: RefusalLog;
}

/** Contents of an answer, for the audit log; set by handlers. */
export interface Answered {
  /** Number of records; 1 if a handler does not set it. */
  rows?: number;
  /** The customer, where the path does not name it. */
  customerId?: string;
  /** Customers on a page. */
  customerIds?: readonly string[];
  /** The request, where the path does not name it. */
  requestId?: string;
  /** The command has changed something and was no repetition, so that its own audit event covers the answer. */
  audited?: boolean;
}
