/** Account of the caller: the only account that a shopper may read and change, in the store of the token. */
import { DomainError } from "../domain/errors.ts";
import type { Actors, Commands } from "../actors/commands.ts";
import type { Answer, Command } from "../actors/runtime/protocol.ts";
import type { Customer, Lookups } from "../db/lookups.ts";
import { commandContext, type GraphCaller } from "./caller.ts";

export interface AccountChange {
  answer: Answer;
  customer: Customer;
}

/** Operations on the account. Both also throw what Caller.shopper throws. */
export interface Account {
  /**
   * Reads the current customer.
   *
   * @throws {DomainError} NOT_FOUND, REFUSED_IN_STATE once anonymized, UNAVAILABLE
   */
  read(caller: GraphCaller): Promise<Customer>;
  /**
   * Reads the current customer, or returns null once it is anonymized.
   *
   * @throws {DomainError} NOT_FOUND, UNAVAILABLE
   */
  readUnlessErased(caller: GraphCaller): Promise<Customer | null>;
  /**
   * Sends a change to the customer.
   *
   * @param field name of the result in the response
   * @returns the answer, and the customer as the change has left it; for a repeated request the current one
   * @throws {DomainError} what Actors.send and `read` throw
   */
  change(
    caller: GraphCaller,
    field: string,
    command: Command,
    expectedVersion?: number | null,
  ): Promise<AccountChange>;
}

export function createAccount(actors: Actors, lookups: Lookups): Account {
  async function find(caller: GraphCaller): Promise<Customer> {
    const { id: customerId, storeId } = await caller.shopper();
    const customer = await lookups.findCustomer({ storeId, customerId }, caller.wanted);
    if (customer) return customer;
    throw new DomainError("NOT_FOUND", `Cannot read customer ${customerId}: the store has no such customer`);
  }

  async function read(caller: GraphCaller): Promise<Customer> {
    const customer = await find(caller);
    if (!customer.anonymizedAt) return customer;
    throw new DomainError(
      "REFUSED_IN_STATE",
      `Cannot read customer ${customer.customerId}: it has been erased`,
    );
  }

  return {
    read,
    async readUnlessErased(caller) {
      const customer = await find(caller);
      return customer.anonymizedAt ? null : customer;
    },
    async change(caller, field, command, expectedVersion) {
      const context = await commandContext(caller, field, expectedVersion);
      const { id, storeId } = context.by;
      const ref = { kind: "customer", storeId, id } as const;
      // The runtime checks the command.
      const { answer, actor } = await actors.sendAndRead(ref, command as Commands["customer"], context);
      return { answer, customer: actor ?? await read(caller) };
    },
  };
}
