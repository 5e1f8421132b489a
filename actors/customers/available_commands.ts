/** Commands that a customer accepts now from a principal, by its machine and by authorization. */
import type { Principal } from "../../domain/principal.ts";
import { isAuthorized } from "../runtime/authorization.ts";
import { customerSnapshot, rightsOfCommand, type StateOfCustomer } from "./customer_behavior.ts";
import type { CustomerCommandEvent } from "./customer_machine.ts";

/** Commands that staff send. */
export const CUSTOMER_COMMANDS = [
  "profile.update",
  "address.add",
  "address.update",
  "address.delete",
  "group.assign",
  "group.remove",
  "account.suspend",
  "account.reinstate",
  "account.close",
  "hold.place",
  "hold.lift",
] as const;
export type StaffCustomerCommand = (typeof CUSTOMER_COMMANDS)[number];

/** @param customer a customer in the store of `by` */
export function availableCommands(customer: StateOfCustomer, by: Principal): Set<StaffCustomerCommand> {
  const snapshot = customerSnapshot(customer);
  return new Set(
    CUSTOMER_COMMANDS.filter((type) =>
      isAuthorized(by, rightsOfCommand(type)) &&
      snapshot.can({ type, by: by.type } as CustomerCommandEvent)
    ),
  );
}
