/** Schemas of an address in the REST API. */
import { address } from "../../domain/address.ts";
import type { Address } from "../../db/lookups.ts";
import { z } from "../api.ts";
import { changesOf } from "../changes_schema.ts";

export const AddressSchema = z.object({
  addressId: z.uuid(),
  line1: z.string(),
  line2: z.string().nullable(),
  city: z.string(),
  state: z.string().nullable(),
  country: z.string().meta({ description: "ISO 3166-1 alpha-2, or XK for Kosovo", example: "CH" }),
  postalCode: z.string().nullable(),
  isDefaultShipping: z.boolean(),
  isDefaultBilling: z.boolean(),
}).meta({ id: "Address" });

export const NewAddressSchema = address.meta({ id: "NewAddress" });

export const AddressChangesSchema = changesOf(NewAddressSchema.partial()).meta({
  id: "AddressChanges",
  description: 'Absent fields remain unchanged; null or "" clears an optional field.',
});

export function bodyOf(stored: Address): z.output<typeof AddressSchema> {
  const { addressId, line1, line2, city, state, country, postalCode, isDefaultShipping, isDefaultBilling } =
    stored;
  return { addressId, line1, line2, city, state, country, postalCode, isDefaultShipping, isDefaultBilling };
}
