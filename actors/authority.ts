/** Who may tell an actor what: checked here for every edge, whatever the edge has checked itself. */
import { DomainError } from "./errors.ts";
import type { Principal, PrincipalType } from "./principal.ts";
import type { ActorRef } from "./protocol.ts";

/**
 * A customer acts on the own account only, staff need a role that writes, and everybody stays in the own store.
 *
 * @throws {DomainError} FORBIDDEN
 */
export function authorize(
  ref: ActorRef,
  type: string,
  allowed: readonly PrincipalType[],
  by: Principal,
): void {
  const refuse = (reason: string): never => {
    throw new DomainError("FORBIDDEN", `Cannot ${type} ${ref.id}: ${reason}`);
  };
  if (by.storeId !== ref.storeId) refuse("it is another store's");
  if (!allowed.includes(by.type)) refuse(`it is not for a ${by.type.toLowerCase()}`);
  if (by.type === "CUSTOMER" && (ref.kind !== "customer" || ref.id !== by.id)) {
    refuse("it is not your own account");
  }
  if (
    by.type === "STAFF" && !by.roles.some((role) => role === "CUSTOMER_MANAGER" || role === "STORE_MANAGER")
  ) {
    refuse("it takes the role CUSTOMER_MANAGER or STORE_MANAGER");
  }
}
