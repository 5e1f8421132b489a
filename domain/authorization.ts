/** Authorization of operations that are not for shoppers. */
import { DomainError } from "./errors.ts";
import type { Principal, RoleName } from "./principal.ts";

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
