/** Lookup methods of CustomerService. */
import { z } from "zod";
import { DomainError } from "../domain/errors.ts";
import { isPlainUuid, parseInput, uuid } from "../domain/input.ts";
import { findPriceList } from "../actors/customers/price_list.ts";
import type { CustomerKey, Lookups } from "../db/lookups.ts";
import { type CallContext, type CustomerMethods, requireStore } from "./contract.ts";

export function createGetCustomerGroups(
  lookups: Pick<Lookups, "findCustomerGroups">,
): CustomerMethods["getCustomerGroups"] {
  return (request, context) => {
    const key = requestedKey(request, context);
    return findPriceList(lookups, key === request ? request : { ...request, ...key }, context.wanted);
  };
}

export function createGetCustomerSnapshot(
  lookups: Pick<Lookups, "findCustomer">,
): CustomerMethods["getCustomerSnapshot"] {
  return async (request, context) => {
    const key = requestedKey(request, context);
    const customer = await lookups.findCustomer(key, context.wanted);
    if (!customer) throw unknown(key);
    const { email } = customer;
    if (customer.anonymizedAt || email === null) throw anonymized(key);
    return { ...customer, email };
  };
}

/** With the names of the contract, which the error message repeats. */
const CUSTOMER_KEY = z.object({ customer_id: uuid, store_id: uuid });

/** Returns the key of the requested customer, in a store that the caller may read. */
function requestedKey(request: CustomerKey, context: CallContext): CustomerKey {
  const key = isPlainUuid(request.customerId) && isPlainUuid(request.storeId) ? request : parseKey(request);
  requireStore(context, key.storeId);
  return key;
}

/** @throws {DomainError} INVALID_INPUT */
function parseKey({ customerId, storeId }: CustomerKey): CustomerKey {
  const named = { customer_id: customerId, store_id: storeId };
  const key = parseInput(CUSTOMER_KEY, named, "look up the customer");
  return { customerId: key.customer_id, storeId: key.store_id };
}

function unknown({ storeId, customerId }: CustomerKey): DomainError {
  return new DomainError(
    "NOT_FOUND",
    `Cannot find customer ${customerId}: store ${storeId} has none of this id`,
  );
}

function anonymized({ customerId }: CustomerKey): DomainError {
  return new DomainError("REFUSED_IN_STATE", `Cannot look up customer ${customerId}: it has been erased`);
}
