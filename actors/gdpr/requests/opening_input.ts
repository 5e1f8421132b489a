/** Input schema of the command that opens a request. */
import { z } from "zod";
import { email } from "../../../domain/email.ts";
import { optionalLocale, optionalPhone, optionalText, text, uuid } from "../../../domain/input.ts";
import { profile } from "../../../domain/profile.ts";
import { CAUSES } from "../machines/events.ts";
import { CHANNELS, IDENTITY_METHODS, REPRESENTATION_GROUNDS, RIGHTS } from "../types.ts";

/** Names the subject of a request to be opened, for messages, which contain no contact data. */
export function nameSubject(customerId: string | undefined): string {
  return customerId === undefined ? "a person who is named by an email" : `customer ${customerId}`;
}

/** A date in the time zone of the store, or an instant. */
export const receipt = z.union([z.iso.date(), z.iso.datetime({ offset: true })], {
  error: "must be a date such as 2026-11-18, or a time such as 2026-11-18T09:30:00Z",
});

/** How staff or a service have checked the identity. */
export const identityCheck = z.strictObject({
  method: z.enum(IDENTITY_METHODS),
  reference: optionalText(200),
});

/** The person who makes the request on behalf of the customer. */
export const representative = z.strictObject({
  ground: z.enum(REPRESENTATION_GROUNDS),
  name: text(200),
  reference: optionalText(200),
});

/** Contact data of a person without an account. */
export const subject = z.strictObject({
  email,
  phone: optionalPhone.default(null),
  /** Default: the first language of the store. */
  locale: optionalLocale.default(null),
});

export const opening = z.strictObject({
  customerId: uuid.optional(),
  /** Instead of a customer ID. If a customer has the email, the request is about that customer. */
  subject: subject.optional(),
  right: z.enum(RIGHTS),
  /** New values of a rectification. */
  corrections: profile.partial().refine((fields) => Object.keys(fields).length > 0, {
    error: "must contain at least one field",
  }).optional(),
  cause: z.enum(CAUSES).default("REQUEST"),
  /** Default: ACCOUNT for customers and services, OTHER for staff. */
  channel: z.enum(CHANNELS).optional(),
  /** Default: now. */
  receivedAt: receipt.optional(),
  /** For other staff. */
  note: optionalText(500),
  identity: identityCheck.optional(),
  representative: representative.optional(),
}).refine(
  ({ customerId, subject }) => (customerId === undefined) !== (subject === undefined),
  { error: "either customerId or subject is required" },
).refine(
  ({ right, corrections }) => (right === "RECTIFICATION") === (corrections !== undefined),
  { error: "corrections are required for a RECTIFICATION and not allowed for other rights" },
);
