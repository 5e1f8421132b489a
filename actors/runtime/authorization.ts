/** Who may tell an actor what: checked here for every edge, whatever the edge has checked itself. */
import { DomainError } from "../../domain/errors.ts";
import type { Principal, PrincipalType, RoleName } from "../../domain/principal.ts";
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

function forbidden(ref: ActorRef, type: string, reason: string): DomainError {
  return new DomainError("FORBIDDEN", `Cannot ${type} ${ref.id}: ${reason}`);
}
