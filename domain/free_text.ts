/**
 * Rules for free text of staff and services about a person, such as a reason: it contains no email address, no phone
 * number, and no value that is stored about the person. Text in base64 or another encoding, look-alike letters of
 * other scripts, and values that are no longer stored are not recognized.
 */
import { z } from "zod";
import { text } from "./input.ts";

/** Sentences for what a text contains; they complete "must not contain". */
const REFUSED = {
  email: "an email address or a name with an @",
  phone: "a phone number: write the number of an order or a ticket with its letters, such as INV-2026000123",
  value: "a name, an address or another value of the customer: refer to the customer by ID",
} as const;

/** A value of the person, with the name of its column in the database. */
export interface PersonalValue {
  column: string;
  value: string;
}

/** A line of text of 1 to `max` characters without email addresses and phone numbers. */
export const freeText = (max: number) =>
  text(max).superRefine((value, context) => {
    const contents = findPersonalData(value, []);
    if (contents) context.addIssue(`must not contain ${contents}`);
  }) satisfies z.ZodType<string>;

/** Returns in words what the text contains of a person; undefined if it contains nothing that can be recognized. */
export function findPersonalData(text: string, values: readonly PersonalValue[]): string | undefined {
  const folded = fold(text);
  if (hasEmail(folded)) return REFUSED.email;
  if (hasPhone(folded)) return REFUSED.phone;
  const texts = [folded, fold(transcribe(text))].map(readText);
  const isQuoted = values.some(({ column, value }) =>
    texts.some((text) => [fold(value), fold(transcribe(value))].some((one) => quotes(text, column, one)))
  );
  return isQuoted ? REFUSED.value : undefined;
}

/** Comparable form: compatible characters, case, accents, digits, spaces and dashes unified, invisible characters removed. */
function fold(text: string): string {
  return text.normalize("NFKD")
    .replace(/[\p{M}\p{Default_Ignorable_Code_Point}]/gu, "")
    .normalize("NFKC").toLowerCase().normalize("NFKD").replace(/\p{M}/gu, "")
    .replace(/\p{Nd}/gu, asciiDigit)
    .replace(/[\p{Z}\s]+/gu, " ")
    .replace(/[\p{Pd}\u2212]/gu, "-")
    .replace(/[ßæœøłđðþıς]/g, (letter) => LETTERS[letter]!);
}

const LETTERS: Record<string, string> = {
  "ß": "ss",
  "æ": "ae",
  "œ": "oe",
  "ø": "o",
  "ł": "l",
  "đ": "d",
  "ð": "d",
  "þ": "th",
  "ı": "i",
  "ς": "σ",
};

/** Spells umlauts as people do who have no key for them. */
function transcribe(text: string): string {
  return text.normalize("NFC").toLowerCase().replace(/[äöüåø]/g, (letter) => TRANSCRIBED[letter]!);
}

const TRANSCRIBED: Record<string, string> = { "ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe" };

/** Unicode encodes the digits of each script as ten successive code points. */
function asciiDigit(digit: string): string {
  const code = digit.codePointAt(0)!;
  let first = code;
  while (code - first < 9 && /\p{Nd}/u.test(String.fromCodePoint(first - 1))) first--;
  return String(code - first);
}

const AT = /%40|&#0{0,5}64;|&#x0{0,5}40;|&commat;| ?[([{<] ?(?:at|@) ?[)\]}>] ?/g;
const DOT = / ?[([{<] ?(?:dot|\.) ?[)\]}>] ?/g;
const EMAIL =
  /[\p{L}\p{N}._+-]@|@[\p{L}\p{N}]|[\p{L}\p{N}_+-] @ ?[\p{L}\p{N}-]+ ?\.|[\p{L}\p{N}_+-] at [\p{L}\p{N}-]+ dot \p{L}{2}/u;

function hasEmail(folded: string): boolean {
  return EMAIL.test(folded.replace(AT, "@").replace(DOT, "."));
}

/** IDs and dates, which have as many digits as a phone number. */
const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;
const DATE = /(?<!\d)(?:\d{4}([-/.])\d{1,2}\1\d{1,2}|\d{1,2}([-/.])\d{1,2}\2(?:\d{4}|\d\d))(?!\d)/g;
const TIME = /(?<!\d)\d{1,2}:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:z|[+-]\d\d:?\d\d)?(?!\d)/g;

/** A number with its separators, and letters that are part of it, as in INV-2026000123. */
const NUMBER =
  /(?<![\p{L}\p{N}_#+(])(?:[\p{L}_#][\p{L}\p{N}_#]*[-/.:]?)?[+(]*\d(?:[ ().\/+~-]{0,3}\d)*\p{L}*/gu;

function hasPhone(folded: string): boolean {
  const numbers = folded.replace(UUID, ";").replace(DATE, ";").replace(TIME, ";").match(NUMBER) ?? [];
  return numbers.some((number) => {
    const groups = number.trim().split(" ");
    const isPartOfWord = (group: string) => /[\p{L}_#]/u.test(group);
    while (groups.length > 0 && isPartOfWord(groups[0]!)) groups.shift();
    while (groups.length > 0 && isPartOfWord(groups.at(-1)!)) groups.pop();
    return isPhone(groups.join(" "));
  });
}

function isPhone(number: string): boolean {
  const groups = number.match(/\d+/g) ?? [];
  const digits = groups.join("");
  if (digits.length < 7) return false;
  if (/^(?:\+|\(|0)/.test(number)) return true;
  if (groups.length === 1) return digits.length >= 10 && digits.length <= 15;
  if (groups.some((group) => group.length > 5)) return groups.some((group) => isPhone(group));
  const isAmount = /^\d{1,3}(?:[ .]\d{3})+$/.test(number) && digits.length < 9;
  return !isAmount;
}

/** A text in its comparable form. */
interface ReadText {
  folded: string;
  words: ReadonlySet<string>;
  /** Letters and digits alone, as spaces and punctuation may be anywhere. */
  squashed: string;
  digits: string;
}

const wordsOf = (folded: string) => folded.match(/[\p{L}\p{N}]+/gu) ?? [];

function readText(folded: string): ReadText {
  const words = wordsOf(folded);
  const squashed = words.join("");
  return { folded, words: new Set(words), squashed, digits: squashed.replace(/\D/g, "") };
}

/** Columns whose values are ordinary words or two letters, such as `en`. */
const NOT_COMPARED = ["locale", "country"];

/** @param value in the comparable form */
function quotes(text: ReadText, column: string, value: string): boolean {
  if (NOT_COMPARED.includes(column)) return false;
  if (column === "email") return quotesEmail(text, value);
  if (column === "phone") return text.digits.includes(value.replace(/\D/g, "").slice(-7));
  const isName = column === "first_name" || column === "last_name";
  if (isName) return wordsOf(value).some((word) => hasWord(text, word, 2)) || hasPhrase(text, value);
  const withoutNumbers = wordsOf(value).filter((word) => !/^\d/.test(word)).join(" ");
  return hasPhrase(text, value) || hasPhrase(text, withoutNumbers);
}

function quotesEmail(text: ReadText, email: string): boolean {
  const [local = "", domain = ""] = email.split("@");
  const parts = local.split(/[^\p{L}\p{N}]+/u).filter((part) => !/^\d+$/.test(part));
  return text.folded.includes(domain) || hasPhrase(text, local) ||
    parts.some((part) => hasWord(text, part, 4));
}

/** Words of these scripts follow each other without spaces. */
const UNSPACED = /\p{Script=Han}|\p{Script=Hiragana}|\p{Script=Katakana}|\p{Script=Thai}|\p{Script=Hangul}/u;
/** Length from which letters in succession are no coincidence. */
const DISTINCT = 6;

/** Finds a word of at least `shortest` letters, also with an ending of a declension or with spaces inside. */
function hasWord({ words, squashed }: ReadText, word: string, shortest: number): boolean {
  if (UNSPACED.test(word)) return word.length >= 2 && squashed.includes(word);
  if (word.length < shortest) return false;
  if (words.has(word) || word.length >= DISTINCT && squashed.includes(word)) return true;
  return word.length >= 4 &&
    [...words].some((other) => other.startsWith(word) && other.length <= word.length + 2);
}

/** Finds a value that may have several words. */
function hasPhrase(text: ReadText, value: string): boolean {
  const words = wordsOf(value);
  const phrase = words.join("");
  if (words.length === 1) return hasWord(text, phrase, 3);
  if (phrase.length >= DISTINCT) return text.squashed.includes(phrase);
  return phrase.length >= 3 && ` ${wordsOf(text.folded).join(" ")} `.includes(` ${words.join(" ")} `);
}
