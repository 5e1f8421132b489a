/** Profile of a customer: the schema of its fields, which every command and correction of a profile uses. */
import { z } from "zod";
import { email } from "./email.ts";
import { optionalLocale, optionalPhone, optionalText } from "./input.ts";

export const profile = z.strictObject({
  email,
  firstName: optionalText(100),
  lastName: optionalText(100),
  phone: optionalPhone,
  locale: optionalLocale,
});
