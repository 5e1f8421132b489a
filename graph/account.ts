/** Account of the caller: the only account that a shopper may read and change, in the store of the token. */
import { DomainError } from "../domain/errors.ts";
import type { Actors } from "../actors/commands.ts";
import type { Answer, Command } from "../actors/runtime/protocol.ts";
import type { Customer, Lookups } from "../db/lookups.ts";
import { type Caller, commandContext } from "./caller.ts";

/** Operations on the account. Both also throw what Caller.shopper throws. */
export interface Account {
  /**
   * Reads the current customer.
   *
   * @throws {DomainError} NOT_FOUND, REFUSED_IN_STATE once anonymized, UNAVAILABLE
   */
  read(caller: Caller): Promise<Customer>;
  /**
   * Sends a change to the customer.
   *
   * @param field name of the result in the response
   * @throws {DomainError} what Actors.send throws
   */
  change(caller: Caller, field: string, command: Command, expectedVersion?: number | null): Promise<Answer>;
}

export function createAccount(actors: Actors, lookups: Lookups): Account {
  return {
    async read(caller) {
      const { id, storeId } = await caller.shopper();
      return alive(id, await lookups.findCustomer({ storeId, customerId: id }, caller.wanted));
    },
    async change(caller, field, command, expectedVersion) {
      const context = await commandContext(caller, field, expectedVersion);
      const { id, storeId } = context.by;
      return await actors.sendUnchecked({ kind: "customer", storeId, id }, command, context);
    },
  };
}

function alive(id: string, customer: Customer | undefined): Customer {
  if (!customer) {
    throw new DomainError("NOT_FOUND", `Cannot read customer ${id}: the store has no such customer`);
  }
  if (!customer.anonymizedAt) return customer;
  throw new DomainError("REFUSED_IN_STATE", `Cannot read customer ${id}: anonymized`);
}
