/** Input of the command that opens a request. */
import { z } from "zod";
import { email, locale, phone, text, uuid } from "../../../domain/input.ts";
import { RIGHTS } from "../vocabulary.ts";

export const opening = z.strictObject({
  customerId: uuid,
  right: z.enum(RIGHTS),
  /** What a rectification corrects. */
  corrections: z.strictObject({
    email: email.optional(),
    firstName: text(100).nullish(),
    lastName: text(100).nullish(),
    phone: phone.nullish(),
    locale: locale.nullish(),
  }).refine((fields) => Object.keys(fields).length > 0, { error: "must correct something" }).optional(),
  /** RESTORE: the subject was erased before, and a backup has brought the data back. */
  cause: z.enum(["REQUEST", "RESTORE"]).default("REQUEST"),
}).refine(
  ({ right, corrections }) => (right === "RECTIFICATION") === (corrections !== undefined),
  { error: "corrections must be given with a RECTIFICATION and with nothing else" },
);
