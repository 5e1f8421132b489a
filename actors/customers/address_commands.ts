/** The customer's commands about its address book. Giving an address a default takes it from the other one. */
import { v7 as newId } from "uuid";
import { z } from "zod";
import {
  type AddressValues,
  deleteAddress,
  findAddress,
  insertAddress,
  updateAddress,
} from "../../db/customer_addresses.ts";
import { handler, type StepContext } from "../runtime/behavior.ts";
import { changedOnly } from "../runtime/changes.ts";
import { DomainError } from "../../domain/errors.ts";
import { country, optionalText, text, uuid } from "../../domain/input.ts";

const ANYBODY = ["CUSTOMER", "STAFF", "SYSTEM"] as const;

const address = z.strictObject({
  line1: text(200),
  line2: optionalText(200),
  city: text(100),
  state: optionalText(100),
  country,
  postalCode: optionalText(20),
  isDefaultShipping: z.boolean().optional(),
  isDefaultBilling: z.boolean().optional(),
});
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
      write: (tx) => insertAddress(tx, { storeId: ref.storeId, customerId: ref.id, addressId }, values, now),
      ids: { addressId },
    };
  }),

  "address.update": handler(ANYBODY, changes, async (scene, input) => {
    const { ref, by, now } = scene;
    const { addressId, ...fields } = input;
    const changed = changedOnly(await ownAddress(scene, addressId), fields);
    return {
      event: { type: "address.update", by: by.type },
      changedFields: Object.keys(changed).length > 0 ? ["addresses"] : [],
      write: (tx) => updateAddress(tx, { storeId: ref.storeId, customerId: ref.id, addressId }, changed, now),
      ids: { addressId },
    };
  }),

  "address.delete": handler(
    ANYBODY,
    reference,
    async (scene, { addressId }) => {
      const { ref, by } = scene;
      await ownAddress(scene, addressId);
      return {
        event: { type: "address.delete", by: by.type },
        changedFields: ["addresses"],
        write: (tx) => deleteAddress(tx, ref.storeId, addressId),
        ids: { addressId },
      };
    },
  ),
};

async function ownAddress({ tx, ref }: StepContext, addressId: string): Promise<AddressValues> {
  const address = await findAddress(tx, ref.storeId, ref.id, addressId);
  if (!address) throw new DomainError("NOT_FOUND", `Cannot find address ${addressId} of customer ${ref.id}`);
  return address;
}
