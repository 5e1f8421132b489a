/** What commands may carry. Everything that reaches SQL has passed one of these. */
import { iso31661 } from "iso-3166";
import { z } from "zod";
import { DomainError } from "./errors.ts";

// PostgreSQL takes no NUL, and no person's name or street has a control character.
// deno-lint-ignore no-control-regex -- that is what it looks for
const CONTROL = /[\u0000-\u001f\u007f]/;

/** A line of text of 1 to `max` characters once trimmed. */
export const text = (max: number) =>
  z.string()
    .trim()
    .min(1, "must not be empty")
    .max(max, `must have at most ${max} characters`)
    .refine((value) => !CONTROL.test(value) && value.isWellFormed(), "must not contain control characters");

export const uuid = z.guid("must be a UUID").toLowerCase();

export const email = text(254).pipe(z.email("must be an email address"));

// zod's own e164() lets a country code start with 0.
export const phone = z.string().regex(
  /^\+[1-9]\d{6,14}$/,
  "must be a phone number in E.164 form, +41445551234",
);

/** BCP 47, kept in its canonical spelling. */
export const locale = z.string().max(35, "must be a BCP 47 language tag").transform((tag, context) => {
  try {
    return Intl.getCanonicalLocales(tag)[0] ?? z.NEVER;
  } catch {
    context.addIssue("must be a BCP 47 language tag");
    return z.NEVER;
  }
});

const COUNTRIES = new Set<string>(iso31661.map((country) => country.alpha2));

export const country = z.string().refine(
  (code) => COUNTRIES.has(code),
  "must be a country of ISO 3166-1, in two capital letters",
);

/**
 * @throws {DomainError} INVALID_INPUT, naming every field that is wrong and what was expected, never its value
 */
export function parseInput<T>(schema: z.ZodType<T>, input: unknown, purpose: string): T {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  const problems = result.error.issues.map((issue) => {
    const field = issue.path.join(".");
    return `${field === "" ? "" : `${field} `}${describe(issue)}`;
  });
  throw new DomainError("INVALID_INPUT", `Cannot ${purpose}: ${problems.join("; ")}`, {
    cause: result.error,
  });
}

function describe(issue: z.core.$ZodIssue): string {
  if (issue.code === "unrecognized_keys") return `${issue.keys.map(shown).join(", ")} is not known`;
  if (issue.code === "invalid_type") return `must be of type ${issue.expected}`;
  return issue.message;
}

/** A field's name as the caller wrote it, as long as it can be one. */
function shown(name: string): string {
  return /^\w{1,50}$/.test(name) ? name : "a field";
}
