/** Schemas of an address in the REST API. */
import { country, optionalText, text } from "../../domain/input.ts";
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

export const NewAddressSchema = z.strictObject({
  line1: text(200).meta({ example: "Bahnhofstrasse 1" }),
  line2: optionalText(200),
  city: text(100).meta({ example: "Zürich" }),
  state: optionalText(100),
  country: country.meta({ description: "ISO 3166-1 alpha-2, or XK for Kosovo", example: "CH" }),
  postalCode: optionalText(20).meta({ example: "8001" }),
  isDefaultShipping: z.boolean().optional().meta({
    description: "If true, this address replaces the present default",
  }),
  isDefaultBilling: z.boolean().optional().meta({
    description: "If true, this address replaces the present default",
  }),
}).meta({ id: "NewAddress" });

export const AddressChangesSchema = changesOf(NewAddressSchema.partial()).meta({
  id: "AddressChanges",
  description: 'Absent fields remain unchanged; null or "" clears an optional field.',
});

export function bodyOf(address: Address): z.output<typeof AddressSchema> {
  const { addressId, line1, line2, city, state, country, postalCode, isDefaultShipping, isDefaultBilling } =
    address;
  return { addressId, line1, line2, city, state, country, postalCode, isDefaultShipping, isDefaultBilling };
}
