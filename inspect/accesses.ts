/** Audit of the pages: what each shows is recorded before it is sent. */
import type { Access, AuditLog } from "../actors/audit_log.ts";
import { traceparentOf } from "../http/refusals.ts";
import type { InspectContext } from "./session.ts";

/**
 * Records that the viewer reads what the page is about to show.
 *
 * @throws {DomainError} UNAVAILABLE: the access cannot be recorded, so the page must not be sent
 */
export async function recordAccess(
  c: InspectContext,
  audit: AuditLog,
  access: Omit<Access, "by" | "traceparent">,
): Promise<void> {
  await audit.record({ ...access, by: c.var.by, traceparent: traceparentOf(c) });
}
