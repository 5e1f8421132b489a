/** Who may tell an actor what: checked here for every edge, whatever the edge has checked itself. */
import { DomainError } from "./errors.ts";
import type { Principal, PrincipalType, RoleName } from "./principal.ts";
import type { ActorRef } from "./protocol.ts";

/**
 * Everybody stays in the own store, staff need a role that writes, and a customer's record is its own customer's.
 *
 * @throws {DomainError} FORBIDDEN
 */
export function authorize(
  ref: ActorRef,
  type: string,
  allowed: readonly PrincipalType[],
  role: RoleName,
  by: Principal,
): void {
  if (by.storeId !== ref.storeId) throw forbidden(ref, type, "it is another store's");
  if (!allowed.includes(by.type)) throw forbidden(ref, type, `it is not for a ${by.type.toLowerCase()}`);
  if (ref.kind === "customer") authorizeSubject(ref, type, ref.id, by);
  if (by.type === "STAFF" && !by.roles.some((has) => has === role || has === "STORE_MANAGER")) {
    throw forbidden(ref, type, `it takes the role ${role} or STORE_MANAGER`);
  }
}

/**
 * A customer acts on what is about the own person only.
 *
 * @param customerId the customer whom the actor is about
 * @throws {DomainError} FORBIDDEN
 */
export function authorizeSubject(
  ref: ActorRef,
  type: string,
  customerId: string | undefined,
  by: Principal,
): void {
  if (by.type === "CUSTOMER" && by.id !== customerId) {
    throw forbidden(ref, type, "it is not your own account");
  }
}

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

function forbidden(ref: ActorRef, type: string, reason: string): DomainError {
  return new DomainError("FORBIDDEN", `Cannot ${type} ${ref.id}: ${reason}`);
}
