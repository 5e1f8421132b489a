/** Rights of staff: the roles that have each of them. REST and the inspector authorize by the same table. */
import { authorizeStaff, hasRole, READING_ROLES } from "./authorization.ts";
import type { Principal, RoleName } from "./principal.ts";
import type { ServiceRight } from "./service_rights.ts";

/** Staff have the rights that services can have, and decide about GDPR requests in addition. */
export type StaffRight = ServiceRight | "DECIDE_GDPR_REQUESTS";

const READERS = READING_ROLES;
const WRITERS: readonly RoleName[] = ["CUSTOMER_MANAGER"];
const OFFICERS: readonly RoleName[] = ["PRIVACY_OFFICER"];

/** Roles that have each right, in addition to STORE_MANAGER, which has all of them. */
export const STAFF_ROLES: Readonly<Record<StaffRight, readonly RoleName[]>> = {
  REGISTER_CUSTOMERS: WRITERS,
  READ_CUSTOMERS: READERS,
  UPDATE_CUSTOMERS: WRITERS,
  SEARCH_CUSTOMERS: READERS,
  EXPORT_CUSTOMERS: WRITERS,
  IMPORT_CUSTOMERS: WRITERS,
  CHANGE_STATUS: WRITERS,
  READ_ADDRESSES: READERS,
  CHANGE_ADDRESSES: WRITERS,
  READ_MEMBERSHIPS: READERS,
  CHANGE_MEMBERSHIPS: WRITERS,
  READ_HOLDS: OFFICERS,
  CHANGE_HOLDS: OFFICERS,
  READ_GROUPS: READERS,
  CHANGE_GROUPS: WRITERS,
  OPEN_GDPR_REQUESTS: OFFICERS,
  READ_GDPR_REQUESTS: OFFICERS,
  READ_STORE_SETTINGS: OFFICERS,
  CHANGE_STORE_SETTINGS: OFFICERS,
  DECIDE_GDPR_REQUESTS: OFFICERS,
};

/** Whether the principal is a staff member with the right. */
export function hasStaffRight(right: StaffRight, by: Principal): boolean {
  return by.type === "STAFF" && hasRole(by, STAFF_ROLES[right]);
}

/**
 * Allows staff with one of the rights.
 *
 * @param operation for the message: "read customers"
 * @throws {DomainError} FORBIDDEN
 */
export function authorizeStaffRight(operation: string, rights: readonly StaffRight[], by: Principal): void {
  authorizeStaff(operation, [...new Set(rights.flatMap((right) => STAFF_ROLES[right]))], by);
}
