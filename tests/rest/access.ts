/** Access of callers for REST fixtures: the rights of services, and the audit log. */
import { createAuditLog } from "../../actors/audit_log.ts";
import { createRefusalLog } from "../../actors/refusal_log.ts";
import type { Sql } from "../../db/connect.ts";
import { SERVICE_RIGHTS, type ServiceRight } from "../../domain/service_rights.ts";
import type { AccessControl } from "../../rest/access_context.ts";
import { SERVICE } from "../actors/world.ts";

/** Grants the world's service every right that a service may have. */
export const EVERY_RIGHT = Object.fromEntries(
  Object.keys(SERVICE_RIGHTS).map((right) => [right, [SERVICE]]),
) as unknown as Record<ServiceRight, string[]>;

/** @param sql a pool of the role customer_api */
export function createAccess(sql: Sql): AccessControl {
  const audit = createAuditLog(sql);
  return { serviceCallers: EVERY_RIGHT, audit, refusals: createRefusalLog(audit) };
}
