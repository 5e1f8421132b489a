/** Address of a customer: the one definition of its fields. The commands and the edges derive their schemas from it. */
import { z } from "zod";
import { country, optionalText, text } from "./input.ts";

const makesDefault = z.boolean().optional().meta({
  description: "If true, this address replaces the present default",
});

export const address = z.strictObject({
  line1: text(200).meta({ example: "Bahnhofstrasse 1" }),
  line2: optionalText(200),
  city: text(100).meta({ example: "Zürich" }),
  state: optionalText(100),
  country: country.meta({ description: "ISO 3166-1 alpha-2, or XK for Kosovo", example: "CH" }),
  postalCode: optionalText(20).meta({ example: "8001" }),
  isDefaultShipping: makesDefault,
  isDefaultBilling: makesDefault,
});

export type AddressField = keyof typeof address.shape;
/** Fields that are yes or no; all others are texts. */
export type AddressDefault = Extract<AddressField, `is${string}`>;
export type AddressText = Exclude<AddressField, AddressDefault>;

/** Names for people, in the order in which they are shown. */
export const ADDRESS_LABELS: Readonly<Record<AddressText, string>> = {
  line1: "Street and number",
  line2: "Second line",
  postalCode: "Postal code",
  city: "City",
  state: "State or region",
  country: "Country",
};
export const DEFAULT_LABELS: Readonly<Record<AddressDefault, string>> = {
  isDefaultShipping: "Default for shipping",
  isDefaultBilling: "Default for billing",
};
