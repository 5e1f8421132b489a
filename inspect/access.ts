/** Access to the pages: each route names the rights that it needs. */
import type { MiddlewareHandler } from "@hono/hono";
import { createMiddleware } from "@hono/hono/factory";
import { authorizeStaffRight, type StaffRight } from "../domain/staff_rights.ts";
import type { InspectEnv } from "./session.ts";

/**
 * Admits staff who have one of the rights in the store of the page.
 *
 * @param operation for the message: "read groups"
 */
export function allow(operation: string, ...rights: StaffRight[]): MiddlewareHandler<InspectEnv> {
  return createMiddleware<InspectEnv>(async (c, next) => {
    authorizeStaffRight(operation, rights, c.var.by);
    await next();
  });
}

export const readRequests = allow("inspect GDPR requests", "READ_GDPR_REQUESTS");
export const decideRequests = allow("decide about GDPR requests", "DECIDE_GDPR_REQUESTS");
export const openRequests = allow("open GDPR requests", "OPEN_GDPR_REQUESTS");
/** Officers see customers without their personal values. */
export const readCustomers = allow("inspect customers", "READ_CUSTOMERS", "READ_GDPR_REQUESTS");
export const readGroups = allow("read groups", "READ_GROUPS");
export const changeGroups = allow("change groups", "CHANGE_GROUPS");
