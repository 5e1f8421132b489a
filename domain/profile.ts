/** Profile of a customer: the schema of its fields, which every command and correction of a profile uses. */
import { z } from "zod";
import { email, locale, phone, text } from "./input.ts";

export const profile = z.strictObject({
  email,
  firstName: text(100).nullish(),
  lastName: text(100).nullish(),
  phone: phone.nullish(),
  locale: locale.nullish(),
});
