/** Authorization of operations that are not for shoppers. */
import { DomainError } from "./errors.ts";
import type { Principal, RoleName } from "./principal.ts";

/**
 * Allows services, and staff who may change customers, to change an email. Shoppers are refused: they sign in with
 * it, so identity-service changes it, once they have proved that it is theirs.
 *
 * @param purpose for the message: "change the email of customer 0190…"
 * @throws {DomainError} FORBIDDEN
 */
export function authorizeEmailChange(purpose: string, by: Principal): void {
  if (by.type === "CUSTOMER") {
    const message = `Cannot ${purpose}: it belongs to the sign-in, where identity-service changes it`;
    throw new DomainError("FORBIDDEN", message);
  }
  if (by.type === "STAFF") authorizeStaff(purpose, ["CUSTOMER_MANAGER"], by);
}

/**
 * Allows the platform's services and staff with one of the roles or STORE_MANAGER. Shoppers are refused: they change
 * their own account through the graph.
 *
 * @param purpose for the message: "read customers"
 * @throws {DomainError} FORBIDDEN
 */
export function authorizeStaff(purpose: string, roles: readonly RoleName[], by: Principal): void {
  if (by.type === "SYSTEM") return;
  if (by.type === "CUSTOMER") {
    throw new DomainError("FORBIDDEN", `Cannot ${purpose}: customers are not allowed to`);
  }
  if (by.roles.some((has) => has === "STORE_MANAGER" || roles.includes(has))) return;
  const needed = [...roles, "STORE_MANAGER"].join(" or ");
  throw new DomainError("FORBIDDEN", `Cannot ${purpose}: it requires the role ${needed}`);
}
