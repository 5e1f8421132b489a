/** Which callers may use an operation that is not for shoppers. */
import { DomainError } from "./errors.ts";
import type { Principal, RoleName } from "./principal.ts";

/**
 * What is not for shoppers, who act on their own account through the graph: for the platform's services, and for
 * staff with one of some roles; STORE_MANAGER may always.
 *
 * @param purpose for the message: "read customers"
 * @throws {DomainError} FORBIDDEN
 */
export function authorizeStaff(purpose: string, roles: readonly RoleName[], by: Principal): void {
  if (by.type === "SYSTEM") return;
  if (by.type === "CUSTOMER") {
    throw new DomainError("FORBIDDEN", `Cannot ${purpose}: it is not for a customer`);
  }
  if (by.roles.some((has) => has === "STORE_MANAGER" || roles.includes(has))) return;
  const needed = [...roles, "STORE_MANAGER"].join(" or ");
  throw new DomainError("FORBIDDEN", `Cannot ${purpose}: it takes the role ${needed}`);
}
