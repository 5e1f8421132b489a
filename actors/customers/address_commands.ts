/** The customer's commands about its address book. Giving an address a default takes it from the other one. */
import { v7 as newId } from "uuid";
import { z } from "zod";
import type { AddressValues } from "../../db/customer_addresses.ts";
import { type DecisionContext, handler } from "../runtime/behavior.ts";
import { changedOnly } from "../runtime/changes.ts";
import { DomainError } from "../../domain/errors.ts";
import { address } from "../../domain/address.ts";
import { uuid } from "../../domain/input.ts";

const ANYBODY = ["CUSTOMER", "STAFF", "SYSTEM"] as const;

const changes = address.partial().extend({ addressId: uuid });
const reference = z.strictObject({ addressId: uuid });

const BLANK = {
  line2: null,
  state: null,
  postalCode: null,
  isDefaultShipping: false,
  isDefaultBilling: false,
};

export const addressHandlers = {
  "address.add": handler(ANYBODY, address, ({ ref, by, now }, input) => {
    const addressId = newId();
    const values = { ...BLANK, ...changedOnly({}, input) } as AddressValues;
    return {
      event: { type: "address.add", by: by.type },
      changedFields: ["addresses"],
      rows: { newAddress: { id: addressId, customerId: ref.id, values, at: now } },
      ids: { addressId },
    };
  }),

  "address.update": handler(ANYBODY, changes, (context, input) => {
    const { ref, by, now } = context;
    const { addressId, ...fields } = input;
    const values = changedOnly(ownAddress(context, addressId), fields);
    return {
      event: { type: "address.update", by: by.type },
      changedFields: Object.keys(values).length > 0 ? ["addresses"] : [],
      rows: { changedAddress: { id: addressId, customerId: ref.id, values, at: now } },
      ids: { addressId },
    };
  }, ({ addressId }) => ({ addressId })),

  "address.delete": handler(
    ANYBODY,
    reference,
    (context, { addressId }) => {
      ownAddress(context, addressId);
      return {
        event: { type: "address.delete", by: context.by.type },
        changedFields: ["addresses"],
        rows: { deletedAddressId: addressId },
        ids: { addressId },
      };
    },
    ({ addressId }) => ({ addressId }),
  ),
};

/** @throws {DomainError} NOT_FOUND: the customer has no such address */
function ownAddress(
  { ref, facts: { address } }: DecisionContext,
  addressId: string,
): object {
  if (address) return address;
  throw new DomainError("NOT_FOUND", `Cannot find address ${addressId} of customer ${ref.id}`);
}
