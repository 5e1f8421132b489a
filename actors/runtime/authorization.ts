/** Authorization of commands. The runtime checks it for every edge, in addition to what the edge checks. */
import { DomainError, hasCode } from "../../domain/errors.ts";
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
 * @param purpose of the command in words, for the message
 * @throws {DomainError} FORBIDDEN
 */
export function authorize(
  { storeId }: Pick<ActorRef, "storeId">,
  purpose: string,
  { by: allowed, role }: CommandRights,
  by: Principal,
): void {
  if (by.storeId !== storeId) throw forbidden(purpose, "it is another store's");
  if (!allowed.includes(by.type)) throw forbidden(purpose, `it is not for a ${by.type.toLowerCase()}`);
  if (by.type === "STAFF" && !by.roles.some((has) => has === role || has === "STORE_MANAGER")) {
    throw forbidden(purpose, `it takes the role ${role} or STORE_MANAGER`);
  }
}

/** Whether the principal may send the command to actors of its own store. */
export function isAuthorized(by: Principal, rights: CommandRights): boolean {
  try {
    authorize(by, "send the command", rights, by);
    return true;
  } catch (error) {
    if (hasCode(error, "FORBIDDEN")) return false;
    throw error;
  }
}

/**
 * A customer may act only on what is about that customer.
 *
 * @param purpose of the command in words, for the message
 * @param customerId the customer whom the actor is about
 * @throws {DomainError} FORBIDDEN
 */
export function authorizeSubject(purpose: string, customerId: string | undefined, by: Principal): void {
  if (by.type === "CUSTOMER" && by.id !== customerId) {
    throw forbidden(purpose, "it is not your own account");
  }
}

function forbidden(purpose: string, reason: string): DomainError {
  return new DomainError("FORBIDDEN", `Cannot ${purpose}: ${reason}`);
}
