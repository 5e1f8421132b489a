/** Schemas of a customer in the REST API. */
import { optionalText, uuid } from "../../domain/input.ts";
import { profile, PROFILE_FIELDS, type ProfileField, profileValuesOf } from "../../domain/profile.ts";
import type { FoundCustomer } from "../../db/customer_search.ts";
import { z } from "../api.ts";
import { changesOf } from "../changes_schema.ts";

const status = z.enum(["ACTIVE", "SUSPENDED", "CLOSED"]);

/** Stored values of the profile. */
const storedProfile = Object.fromEntries(
  PROFILE_FIELDS.map((field) => [field, storedField(profile.shape[field].meta()?.description)]),
) as Record<ProfileField, ReturnType<typeof storedField>>;

function storedField(description: string | undefined) {
  const schema = z.string().nullable();
  return description === undefined ? schema : schema.meta({ description });
}

export const CustomerSchema = z.object({
  customerId: z.uuid(),
  name: z.string().nullable().meta({ description: "firstName and lastName" }),
  ...storedProfile,
  status,
  version: z.int().meta({
    format: "int32",
    description: "Increases with every change of profile, status, addresses or legal holds; also the ETag",
  }),
  registeredAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
  anonymizedAt: z.iso.datetime().nullable().meta({
    description: "When the customer was erased. An erased customer has no personal values",
  }),
}).meta({ id: "Customer" });

const name = optionalText(201).meta({
  description:
    "Convenience: the last word becomes lastName, the words before it firstName. A firstName or lastName with a " +
    "value takes precedence. For names that this splits wrongly, such as Gabriel García Márquez or 山田 太郎, send " +
    "firstName and lastName instead.",
});

export const NewCustomerSchema = z.strictObject({
  customerId: uuid.optional().meta({
    description: "Services only: the ID of the subject in identity-service, which the customer shares.",
  }),
  name,
  ...profile.shape,
  returning: z.boolean().optional().meta({
    description:
      "True if the person was erased before and registers again at their own request. Otherwise the email of an erased person is " +
      "refused: to staff, and in bulk. A service that registers a single customer needs no `returning`, because a sign-up " +
      "is the person's own act; with false it asks for the refusal.",
  }),
}).meta({ id: "NewCustomer" });

export const CustomerChangesSchema = changesOf(
  z.strictObject({
    name,
    ...profile.shape,
    status: status.meta({
      description:
        "SUSPENDED suspends, CLOSED closes, ACTIVE reinstates the account, like the operations of that name, together with " +
        "the other changes or not at all",
    }),
  }).partial(),
  { customerId: uuid.optional().meta({ description: "Accepted if it is the customerId of the path" }) },
).meta({
  id: "CustomerChanges",
  description: 'Absent fields remain unchanged; null or "" clears an optional field.',
});

interface Names {
  name?: string | null | undefined;
  firstName?: string | null | undefined;
  lastName?: string | null | undefined;
}

/**
 * Converts profile fields to those of the actor's command: splits `name` into first and last name, unless these have a
 * value of their own.
 */
export function profileOf<Fields extends Names>({ name, ...fields }: Fields): Omit<Fields, "name"> {
  const split = splitName(name);
  const presentFields = Object.entries(fields).filter(([field, value]) =>
    value !== null || !Object.hasOwn(split, field)
  );
  return { ...split, ...Object.fromEntries(presentFields) } as Omit<Fields, "name">;
}

function splitName(name: string | null | undefined) {
  if (name === undefined) return {};
  if (name === null) return { firstName: null, lastName: null };
  const words = name.split(/\s+/u);
  const lastName = words.pop() ?? null;
  return { firstName: words.length > 0 ? words.join(" ") : null, lastName };
}

export function bodyOf(customer: FoundCustomer): z.output<typeof CustomerSchema> {
  const { customerId, firstName, lastName, status, version } = customer;
  const name = [firstName, lastName].filter((part) => part !== null).join(" ");
  return {
    customerId,
    name: name === "" ? null : name,
    ...profileValuesOf(customer),
    status,
    version,
    registeredAt: customer.createdAt.toISOString(),
    updatedAt: customer.updatedAt.toISOString(),
    anonymizedAt: customer.anonymizedAt?.toISOString() ?? null,
  };
}
