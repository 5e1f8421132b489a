/** Values of the sample customers that must not be in a URL or a title. */
import { HOME, SAMPLE_CUSTOMERS, SAMPLE_GUESTS } from "../../demo/sample_customers.ts";

export const PERSONAL_VALUES: readonly string[] = [
  ...SAMPLE_CUSTOMERS.flatMap(({ id: _, ...values }) => Object.values(values)),
  ...Object.values(SAMPLE_GUESTS).map(({ email }) => email),
  HOME.line1,
  HOME.city,
];
