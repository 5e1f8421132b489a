/** Input schemas. Every value that reaches SQL has passed one of them. */
import { iso31661 } from "iso-3166";
import { z } from "zod";
import { DomainError, type FieldProblem } from "./errors.ts";

/** PostgreSQL stores no NUL, and no name or street contains a control character or a line break. */
const CONTROL = /[\p{Cc}\p{Zl}\p{Zp}]/u;
/** A character that is neither a space nor an invisible formatting character. */
const VISIBLE = /[^\p{Z}\p{Cf}]/u;

/** A line of text of 1 to `max` characters once trimmed. */
export const text = (max: number) =>
  z.string()
    .trim()
    .min(1, "must not be empty")
    .refine((value) => value === "" || VISIBLE.test(value), "must not be empty")
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

/** BCP 47, converted to its canonical spelling, which may be longer than the input. */
export const locale = z.string().max(35, LANGUAGE_TAG).transform((tag, context) => {
  try {
    return Intl.getCanonicalLocales(tag)[0] ?? z.NEVER;
  } catch {
    context.addIssue(LANGUAGE_TAG);
    return z.NEVER;
  }
}).pipe(z.string().max(35, LANGUAGE_TAG));

export const country = z.enum(
  iso31661.map(({ alpha2 }) => alpha2),
  "must be a country of ISO 3166-1, in two capital letters",
);

/**
 * @throws {DomainError} INVALID_INPUT, naming the fields that are wrong and what was expected, never a value
 */
export function parseInput<T>(schema: z.ZodType<T>, input: unknown, purpose: string): T {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  throw invalidInput(result.error, purpose);
}

/** Maximum number of problems in a message, so that no response is longer than its request. */
const NAMED = 20;

/** Names the fields that are wrong, the first 20 of them, and what was expected, never a value. */
export function invalidInput(error: z.core.$ZodError, purpose: string): DomainError {
  const named = error.issues.slice(0, NAMED);
  const problems = named.map((issue) => {
    const field = issue.path.join(".");
    return `${field === "" ? "" : `${field} `}${describe(issue)}`;
  });
  const more = error.issues.length - problems.length;
  if (more > 0) problems.push(`and ${more} more`);
  return new DomainError("INVALID_INPUT", `Cannot ${purpose}: ${problems.join("; ")}`, {
    cause: error,
    fields: named.flatMap(fieldProblems),
  });
}

/** Returns one problem for each field that an issue is about: an issue may list several unknown fields. */
function fieldProblems(issue: z.core.$ZodIssue): FieldProblem[] {
  if (issue.code !== "unrecognized_keys") return [{ field: issue.path.join("."), message: describe(issue) }];
  return issue.keys.filter(isName).slice(0, NAMED).map((key) => ({
    field: [...issue.path, key].join("."),
    message: key === "password" ? PASSWORD_REFUSED : "is not known",
  }));
}

const PASSWORD_REFUSED = "password is not accepted: identity-service stores credentials";

function describe(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case "unrecognized_keys":
      return describeUnknown(issue.keys);
    case "invalid_type":
      return `must be of type ${issue.expected}`;
    case "too_small":
      if (!isNumber(issue.origin)) return issue.message;
      return issue.inclusive === false
        ? `must be more than ${issue.minimum}`
        : `must be at least ${issue.minimum}`;
    case "too_big":
      return isNumber(issue.origin) ? `must be at most ${issue.maximum}` : issue.message;
    case "invalid_value":
      return issue.values.length <= LISTED
        ? `must be ${ALTERNATIVES.format(issue.values.map(String))}`
        : issue.message;
    default:
      return issue.message;
  }
}

/** A sentence with more values than this would not be readable. */
const LISTED = 10;
const ALTERNATIVES = new Intl.ListFormat("en-GB", { type: "disjunction" });

const isNumber = (origin: string) => origin === "number" || origin === "int";

function describeUnknown(keys: readonly string[]): string {
  const others = keys.filter((key) => key !== "password");
  const named = others.slice(0, NAMED).map(shown);
  if (others.length > NAMED) named.push(`and ${others.length - NAMED} more`);
  const unknown = others.length > 0 ? [`${named.join(", ")} is not known`] : [];
  return [...unknown, ...(others.length < keys.length ? [PASSWORD_REFUSED] : [])].join("; ");
}

/** The field's name if it can be one. Other text may be a personal value. */
function shown(name: string): string {
  return isName(name) ? name : "a field";
}

function isName(text: string): boolean {
  return /^\w{1,50}$/.test(text);
}
