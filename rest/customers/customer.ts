/** A customer as the REST API shows and takes it. */
import { email } from "../../domain/email.ts";
import { optionalLocale, optionalPhone, optionalText, uuid } from "../../domain/input.ts";
import type { FoundCustomer } from "../../db/customer_search.ts";
import { z } from "../api.ts";

export const CustomerSchema = z.object({
  customerId: z.uuid(),
  email: z.string().nullable(),
  name: z.string().nullable().meta({ description: "firstName and lastName" }),
  firstName: z.string().nullable(),
  lastName: z.string().nullable(),
  phone: z.string().nullable().meta({ description: "E.164" }),
  locale: z.string().nullable().meta({ description: "BCP 47" }),
  status: z.enum(["ACTIVE", "SUSPENDED", "CLOSED"]),
  version: z.int().meta({ description: "Rises with every change; also the ETag" }),
  registeredAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
  anonymizedAt: z.iso.datetime().nullable().meta({
    description: "When the customer was erased; from then on nothing personal is left",
  }),
}).meta({ id: "Customer" });

const name = optionalText(201).meta({
  description:
    "A convenience: the last word becomes lastName, the rest firstName. A firstName or lastName that is " +
    "given wins. For names that this splits wrongly, such as Gabriel García Márquez or 山田 太郎, send firstName and " +
    "lastName instead.",
});

const EMAIL =
  "A Unicode domain is converted to ASCII: münchen.example to xn--mnchen-3ya.example. Only ASCII characters before " +
  "the @.";

const profile = {
  email: email.meta({ format: "email", description: EMAIL }),
  name,
  firstName: optionalText(100),
  lastName: optionalText(100),
  phone: optionalPhone.meta({ description: "E.164", example: "+41445551234" }),
  locale: optionalLocale.meta({ description: "BCP 47", example: "de-CH" }),
};

export const NewCustomerSchema = z.strictObject({
  customerId: uuid.optional().meta({
    description: "Only for a service: identity-service's subject and the customer share one id.",
  }),
  ...profile,
  returning: z.boolean().optional().meta({
    description: "The person was erased before, and comes back of their own will. Without it the email of " +
      "somebody who was erased is refused.",
  }),
}).meta({ id: "NewCustomer" });

export const CustomerChangesSchema = z.strictObject(profile).partial().meta({
  id: "CustomerChanges",
  description: 'Absent fields do not change; null or "" clears a field that may be empty.',
});

interface Names {
  name?: string | null | undefined;
  firstName?: string | null | undefined;
  lastName?: string | null | undefined;
}

/** Fields of the profile as the actor takes them. A whole name fills the parts that are not given, or are empty. */
export function profileOf<Fields extends Names>({ name, ...fields }: Fields): Omit<Fields, "name"> {
  const split = splitName(name);
  const given = Object.entries(fields).filter(([field, value]) =>
    value !== null || !Object.hasOwn(split, field)
  );
  return { ...split, ...Object.fromEntries(given) } as Omit<Fields, "name">;
}

function splitName(name: string | null | undefined) {
  if (name === undefined) return {};
  if (name === null) return { firstName: null, lastName: null };
  const words = name.split(/\s+/u);
  const lastName = words.pop() ?? null;
  return { firstName: words.length > 0 ? words.join(" ") : null, lastName };
}

export function bodyOf(customer: FoundCustomer): z.output<typeof CustomerSchema> {
  const { customerId, email, firstName, lastName, phone, locale, status, version } = customer;
  const name = [firstName, lastName].filter((part) => part !== null).join(" ");
  return {
    customerId,
    email,
    name: name === "" ? null : name,
    firstName,
    lastName,
    phone,
    locale,
    status,
    version,
    registeredAt: customer.createdAt.toISOString(),
    updatedAt: customer.updatedAt.toISOString(),
    anonymizedAt: customer.anonymizedAt?.toISOString() ?? null,
  };
}
