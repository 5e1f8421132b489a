/** Authorization of operations that are not for shoppers. */
import { DomainError } from "./errors.ts";
import type { Principal, RoleName } from "./principal.ts";

/** Roles that may read customers, in addition to STORE_MANAGER. */
export const READING_ROLES: readonly RoleName[] = ["CUSTOMER_SUPPORT", "CUSTOMER_MANAGER"];

/**
 * Allows services, and staff who may change customers, to change an email. Shoppers are refused: they sign in with
 * it, so identity-service changes it, once they have proved that it is theirs.
 *
 * @param operation for the message: "change the email of customer 0190…"
 * @throws {DomainError} FORBIDDEN
 */
export function authorizeEmailChange(operation: string, by: Principal): void {
  if (by.type === "CUSTOMER") {
    const message = `Cannot ${operation}: it belongs to the sign-in, where identity-service changes it`;
    throw new DomainError("FORBIDDEN", message);
  }
  if (by.type === "STAFF") authorizeStaff(operation, ["CUSTOMER_MANAGER"], by);
}

/**
 * Allows staff with one of the roles or STORE_MANAGER. Shoppers are refused: they change their own account through the
 * graph. Services are refused too: edges that admit them check their rights.
 *
 * @param operation for the message: "read customers"
 * @throws {DomainError} FORBIDDEN
 */
export function authorizeStaff(operation: string, roles: readonly RoleName[], by: Principal): void {
  if (by.type !== "STAFF") {
    const callers = by.type === "CUSTOMER" ? "customers" : "services";
    throw new DomainError("FORBIDDEN", `Cannot ${operation}: ${callers} are not allowed to`);
  }
  if (hasRole(by, roles)) return;
  const needed = [...roles, "STORE_MANAGER"].join(" or ");
  throw new DomainError("FORBIDDEN", `Cannot ${operation}: it requires the role ${needed}`);
}

/**
 * Allows a service that is one of `services`.
 *
 * @throws {DomainError} FORBIDDEN: also for a service whose name is unknown, because its token has no client_id
 */
export function authorizeService(operation: string, services: readonly string[], by: Principal): void {
  if (by.service !== undefined && services.includes(by.service)) return;
  const reason = by.service === undefined
    ? "the token does not name its service in client_id"
    : `${by.service} is not one of the services that are allowed to`;
  throw new DomainError("FORBIDDEN", `Cannot ${operation}: ${reason}`);
}

/** Whether the staff member may read the personal values of customers. */
export function mayReadValues(by: Principal): boolean {
  return by.type === "STAFF" && hasRole(by, READING_ROLES);
}

/** Whether the principal has one of the roles or STORE_MANAGER. */
export function hasRole({ roles }: Principal, accepted: readonly RoleName[]): boolean {
  return roles.some((role) => role === "STORE_MANAGER" || accepted.includes(role));
}
