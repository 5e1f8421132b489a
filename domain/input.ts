/** Input schemas. Every value that reaches SQL has passed one of them. */
import { iso31661 } from "iso-3166/1.js"; // the package itself also loads all subdivisions
import { z } from "zod";
import { DomainError, type FieldError } from "./errors.ts";

const REQUIRED = "is required";

// Issues of zod do not contain the input, so describe() cannot distinguish a missing field from one of another type.
z.config({ customError: ({ input }) => input === undefined ? REQUIRED : undefined });

/** PostgreSQL stores no NUL, and no name or street contains a control character or a line break. */
const CONTROL = /[\p{Cc}\p{Zl}\p{Zp}]/u;
/**
 * A character that a reader sees by itself: no space, no combining mark, none that Unicode says to display as nothing
 * (Hangul fillers, tags, bidirectional controls), and neither of the two symbols whose glyph is blank.
 */
const VISIBLE =
  /(?![\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}])[^\p{Z}\p{Cc}\p{Cf}\p{Cs}\p{M}\u2800\u{1D159}]/u;

/** A line of text of up to `max` characters, trimmed and in Unicode's normalization form C; it may be empty. */
const line = (max: number) =>
  z.string()
    .trim()
    .normalize("NFC")
    .max(max, `must have at most ${max} characters`)
    .refine((value) => value === "" || VISIBLE.test(value), "must have a visible character")
    .refine((value) => !CONTROL.test(value) && value.isWellFormed(), "must not contain control characters");

/** A line of text of 1 to `max` characters, trimmed and in Unicode's normalization form C. */
export const text = (max: number) => line(max).min(1, "must not be empty");

/**
 * Wraps a schema that accepts an empty string for a field that may have no value: null, "" and spaces alone all give
 * null. Forms send "" for a field that was left or made empty.
 */
const orNothing = <Schema extends z.ZodType<string>>(schema: Schema) =>
  schema.nullable().transform((value) => value === "" ? null : value).optional();

/** A line of text that may be missing; null if it is blank. */
export const optionalText = (max: number) => orNothing(line(max));

export const uuid = z.guid({
  error: ({ input }) => input === undefined ? REQUIRED : "must be a UUID",
}).toLowerCase();

const PLAIN_UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Whether `uuid` accepts a text and leaves it as it is. Much faster, for the hot path; other texts need `uuid`. */
export function isPlainUuid(text: string): boolean {
  return PLAIN_UUID.test(text);
}

/** A phone number in E.164 that may be missing; null if it is blank. zod's own e164() lets a country code start with 0. */
export const optionalPhone = orNothing(
  z.string().trim().regex(/^(\+[1-9]\d{6,14})?$/, { error: ({ input }) => describePhone(String(input)) }),
);

const PHONE = "must be a phone number in E.164 form, +41445551234";

function describePhone(value: string): string {
  if (/^(\+|00)[\d\s().\/-]+$/.test(value) && /[^\d+]/.test(value)) {
    return `${PHONE}: only digits after the +, without spaces, hyphens, brackets or a 0 in brackets`;
  }
  if (value.startsWith("00")) return `${PHONE}: a + instead of 00`;
  if (/^\+0/.test(value)) return `${PHONE}: no country code starts with 0`;
  if (/^\+\d+$/.test(value)) return `${PHONE}: 7 to 15 digits after the +`;
  if (/^[\d\s().\/-]+$/.test(value)) {
    return `${PHONE}: a + and the country code first, without the 0 of the national number`;
  }
  return PHONE;
}

const MAX_TAG = 35;
const LANGUAGE_TAG = `must be a BCP 47 language tag of at most ${MAX_TAG} characters`;
const UNSUPPORTED_TAG =
  "must be a BCP 47 language tag that begins with a language of two or three letters, such as de-CH; " +
  "private-use (x-…), grandfathered (i-…) and extended tags (zh-cmn) are not supported";

/** BCP 47, converted to its canonical spelling, which may be longer than the input; null if it is blank. */
export const optionalLocale = orNothing(
  z.string().trim().max(MAX_TAG, LANGUAGE_TAG).transform((tag, context) => {
    const canonical = tag === "" ? tag : canonicalLocale(tag);
    if (canonical !== undefined) return canonical;
    context.addIssue(describeTag(tag));
    return z.NEVER;
  }).pipe(z.string().max(MAX_TAG, LANGUAGE_TAG)),
);

function describeTag(tag: string): string {
  if (/^[a-z\d]{1,8}(-[a-z\d]{1,8})*$/i.test(tag)) return UNSUPPORTED_TAG;
  return tag.includes("_") ? `${LANGUAGE_TAG}, with hyphens as in de-CH` : LANGUAGE_TAG;
}

/** Canonical spellings of accepted tags; customers share few locales. */
const canonicalLocales = new Map<string, string>();
const MAX_LOCALES = 1_000;

/** Undefined if the tag is malformed or names no language: ECMA-402 also accepts words such as "german". */
export function canonicalLocale(tag: string): string | undefined {
  const known = canonicalLocales.get(tag);
  if (known !== undefined) return known;
  const canonical = canonicalize(tag);
  if (canonical === undefined || tag.length > MAX_TAG) return canonical;
  if (canonicalLocales.size >= MAX_LOCALES) canonicalLocales.clear();
  canonicalLocales.set(tag, canonical);
  return canonical;
}

function canonicalize(tag: string): string | undefined {
  try {
    const [canonical = ""] = Intl.getCanonicalLocales(tag);
    return /^[a-z]{2,3}(-|$)/.test(canonical) ? canonical : undefined;
  } catch {
    return undefined;
  }
}

/** ISO 3166-1, and Kosovo's user-assigned code XK, which the EU, CLDR, banks and carriers use. */
export const country = z.enum(
  [...iso31661.map(({ alpha2 }) => alpha2), "XK"],
  "must be a country of ISO 3166-1, or XK for Kosovo, in two capital letters",
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
  const problems = error.issues.slice(0, NAMED).map((issue) => {
    const field = issue.path.join(".");
    return `${field === "" ? "" : `${field} `}${describe(issue)}`;
  });
  const more = error.issues.length - problems.length;
  if (more > 0) problems.push(`and ${more} more`);
  const fields = error.issues.flatMap(fieldErrorsOf).slice(0, NAMED);
  return new DomainError("INVALID_INPUT", `Cannot ${purpose}: ${problems.join("; ")}`, {
    cause: error,
    fields,
  });
}

/** The fields that an issue is about; none if it is about the input as a whole. */
function fieldErrorsOf(issue: z.core.$ZodIssue): FieldError[] {
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({
      field: [...issue.path, shown(key)].join("."),
      message: key === "password" ? PASSWORD_ADVICE : "is not known",
    }));
  }
  return issue.path.length > 0 ? [{ field: issue.path.join("."), message: describe(issue) }] : [];
}

const PASSWORD_ADVICE = "is not accepted: identity-service stores credentials";
const PASSWORD_REFUSED = `password ${PASSWORD_ADVICE}`;

function describe(issue: z.core.$ZodIssue): string {
  if (issue.message === REQUIRED) return REQUIRED;
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
  return /^\w{1,50}$/.test(name) ? name : "a field";
}
