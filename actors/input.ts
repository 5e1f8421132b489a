/** What commands may carry. Everything that reaches SQL has passed one of these. */
import { iso31661 } from "iso-3166";
import { z } from "zod";
import { DomainError } from "./errors.ts";

/** PostgreSQL takes no NUL, and no person's name or street has a control character or a second line. */
const CONTROL = /[\p{Cc}\p{Zl}\p{Zp}]/u;
/** Not a space, nor a mark that only steers how others are shown. */
const VISIBLE = /[^\p{Z}\p{Cf}]/u;

/** A line of text of 1 to `max` characters once trimmed. */
export const text = (max: number) =>
  z.string()
    .trim()
    .refine((value) => VISIBLE.test(value), "must not be empty")
    .max(max, `must have at most ${max} characters`)
    .refine((value) => !CONTROL.test(value) && value.isWellFormed(), "must not contain control characters");

export const uuid = z.guid("must be a UUID").toLowerCase();

export const email = text(254).pipe(z.email("must be an email address"));

// zod's own e164() lets a country code start with 0.
export const phone = z.string().regex(
  /^\+[1-9]\d{6,14}$/,
  "must be a phone number in E.164 form, +41445551234",
);

const LANGUAGE_TAG = "must be a BCP 47 language tag of at most 35 characters";

/** BCP 47, kept in its canonical spelling, which may be longer than the one given. */
export const locale = z.string().max(35, LANGUAGE_TAG).transform((tag, context) => {
  try {
    return Intl.getCanonicalLocales(tag)[0] ?? z.NEVER;
  } catch {
    context.addIssue(LANGUAGE_TAG);
    return z.NEVER;
  }
}).pipe(z.string().max(35, LANGUAGE_TAG));

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
  throw invalidInput(result.error, purpose);
}

/** Names every field that is wrong and what was expected, never its value. */
export function invalidInput(error: z.core.$ZodError, purpose: string): DomainError {
  const problems = error.issues.map((issue) => {
    const field = issue.path.join(".");
    return `${field === "" ? "" : `${field} `}${describe(issue)}`;
  });
  return new DomainError("INVALID_INPUT", `Cannot ${purpose}: ${problems.join("; ")}`, { cause: error });
}

const PASSWORD_REFUSED = "password is not taken here: credentials belong to identity-service";

function describe(issue: z.core.$ZodIssue): string {
  if (issue.code === "unrecognized_keys") {
    if (issue.keys.includes("password")) return PASSWORD_REFUSED;
    return `${issue.keys.map(shown).join(", ")} is not known`;
  }
  if (issue.code === "invalid_type") return `must be of type ${issue.expected}`;
  return issue.message;
}

/** A field's name as the caller wrote it, as long as it can be one. */
function shown(name: string): string {
  return /^\w{1,50}$/.test(name) ? name : "a field";
}
