/** Interpretations of the text in the search box. */
import { email } from "../../domain/email.ts";
import { uuid } from "../../domain/input.ts";

/** Values to search for. A text can have more than one interpretation. */
export interface Interpretation {
  /** ID of a customer, of a guest or of a request. */
  id?: string;
  /** Last eight digits of an ID, in lower case. */
  digits?: string;
  /** Email in ASCII. */
  email?: string;
  /** Beginning of an email; contains no space. */
  emailPrefix?: string;
  /** Phone number in E.164. */
  phone?: string;
  /** First name, last name, or both in either order, separated by spaces. */
  name?: string;
}

/** Names of the interpretations, for "Searched as …". */
const NAMES: Record<keyof Interpretation, string> = {
  id: "an ID",
  digits: "the last digits of an ID",
  email: "an email address",
  emailPrefix: "the beginning of an email address",
  phone: "a phone number",
  name: "a name",
};

/** @param mayUsePrefixes whether the beginning of a value may find it; otherwise only whole values do */
export function interpret(text: string, mayUsePrefixes: boolean): Interpretation {
  const trimmed = text.trim();
  const id = readId(trimmed);
  if (id !== undefined) return { id };
  if (trimmed.includes("@")) return readEmail(trimmed, mayUsePrefixes);
  const phone = readPhone(trimmed);
  if (phone !== undefined) return { phone };
  const digits = /^(?:…|\.{3})?\s*([\da-f]{8})$/i.exec(trimmed)?.[1]?.toLowerCase();
  const name = readName(trimmed);
  return {
    ...(digits !== undefined && { digits }),
    ...(name !== undefined && { name }),
    ...(mayUsePrefixes && isEmailPrefix(trimmed) && { emailPrefix: trimmed }),
  };
}

/** Names of the interpretations as a list: "a name or an email address"; empty without any. */
export function describeInterpretation(interpretation: Interpretation): string {
  const names = (Object.keys(interpretation) as (keyof Interpretation)[]).map((name) => NAMES[name]);
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} or ${names.at(-1)}`;
}

/** A UUID, also in braces, as a URN, or without hyphens. */
function readId(text: string): string | undefined {
  const plain = text.replace(/^urn:uuid:/i, "").replace(/^\{(.*)\}$/, "$1");
  const [, ...groups] = /^([\da-f]{8})([\da-f]{4})([\da-f]{4})([\da-f]{4})([\da-f]{12})$/i.exec(plain) ?? [];
  return uuid.safeParse(groups.length > 0 ? groups.join("-") : plain).data;
}

/** Accepts the forms in which mail programs copy an address: "Grace Hopper <grace@example.com>". */
function readEmail(text: string, mayUsePrefixes: boolean): Interpretation {
  const address = (/<([^<>]*)>/.exec(text)?.[1] ?? text).trim().replace(/^mailto:/i, "");
  const { data } = email.safeParse(address);
  if (data !== undefined) return { email: data, ...(mayUsePrefixes && { emailPrefix: data }) };
  return mayUsePrefixes && isEmailPrefix(address) ? { emailPrefix: address } : {};
}

/** Whether an email can begin with the text. */
const isEmailPrefix = (text: string) => /^[\x21-\x7e]{1,254}$/.test(text) && !/@.*@/.test(text);

/** A number with a country code: "+41 (0)44 555 12 34" and "0041 44 555 12 34". */
function readPhone(text: string): string | undefined {
  const compact = text.replaceAll(/\(0\)|[\s().\/\u2010-\u2015-]/g, "");
  const [, digits] = /^(?:\+|00)([1-9]\d{6,14})$/.exec(compact) ?? [];
  return digits === undefined ? undefined : `+${digits}`;
}

/** Whether the text is a phone number without a country code, which no customer has. */
export function isNationalPhone(text: string): boolean {
  return /^[\d\s().\/-]+$/.test(text.trim()) && !/^00/.test(text.trim()) &&
    text.replaceAll(/\D/g, "").length > 8;
}

function readName(text: string): string | undefined {
  const words = text.replaceAll(/[,;]/g, " ").trim().replaceAll(/\s+/g, " ");
  return /\p{L}/u.test(words) ? words : undefined;
}
