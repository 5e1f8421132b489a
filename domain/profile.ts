/**
 * Profile of a customer: the one definition of its fields. The edges derive their schemas, answers and labels from it;
 * tests/profile_test.ts compares them, and the personal-data map and GraphQL's schema, with it.
 */
import { z } from "zod";
import { email } from "./email.ts";
import { optionalLocale, optionalPhone, optionalText } from "./input.ts";

export const profile = z.strictObject({
  email: email.meta({
    format: "email",
    description:
      "A Unicode domain is converted to ASCII: münchen.example to xn--mnchen-3ya.example. Only ASCII characters before " +
      "the @.",
  }),
  firstName: optionalText(100),
  lastName: optionalText(100),
  phone: optionalPhone.meta({ description: "E.164", example: "+41445551234" }),
  locale: optionalLocale.meta({ description: "BCP 47", example: "de-CH" }),
});

export type ProfileField = keyof typeof profile.shape;

/** The stored values; all are null once the customer is anonymized. */
export type ProfileValues = Record<ProfileField, string | null>;

/** Names for people, in the order in which they are shown. */
export const PROFILE_LABELS: Readonly<Record<ProfileField, string>> = {
  email: "Email",
  firstName: "First name",
  lastName: "Last name",
  phone: "Phone",
  locale: "Locale",
};

export const PROFILE_FIELDS = Object.keys(profile.shape) as ProfileField[];

/** Returns the fields of the profile alone. */
export function profileValuesOf(customer: ProfileValues): ProfileValues {
  return Object.fromEntries(PROFILE_FIELDS.map((field) => [field, customer[field]])) as ProfileValues;
}
