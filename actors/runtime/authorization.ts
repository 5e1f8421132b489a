/** Authorization of commands. The runtime checks it for every edge, in addition to what the edge checks. */
import { DomainError } from "../../domain/errors.ts";
import type { Principal, PrincipalType, RoleName } from "../../domain/principal.ts";
import type { ActorRef } from "./protocol.ts";

/** Who may send a command. */
export interface CommandRights {
  by: readonly PrincipalType[];
  /** The role that staff need; STORE_MANAGER always suffices. */
  role: RoleName;
}

/**
 * Checks the caller's store, its type, and the role of staff.
 *
 * @throws {DomainError} FORBIDDEN
 */
export function authorize(
  ref: ActorRef,
  type: string,
  { by: allowed, role }: CommandRights,
  by: Principal,
): void {
  if (by.storeId !== ref.storeId) throw forbidden(ref, type, "it is another store's");
  if (!allowed.includes(by.type)) throw forbidden(ref, type, `it is not for a ${by.type.toLowerCase()}`);
  if (by.type === "STAFF" && !by.roles.some((has) => has === role || has === "STORE_MANAGER")) {
    throw forbidden(ref, type, `it takes the role ${role} or STORE_MANAGER`);
  }
}

/**
 * A customer may act only on what is about that customer.
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
