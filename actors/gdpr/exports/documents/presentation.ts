/** Presentation of a document: its language, its time zone, and words for the records of this service. */
import { languageFor, type StoreSettings } from "../../../../domain/store_settings.ts";
import { TEXTS } from "../../texts/mod.ts";
import { retentionTexts } from "../../texts/retention.ts";
import type { Texts } from "../../texts/texts.ts";
import type { CollectedRecord, ExportDescription } from "../../types.ts";

export interface Presentation {
  texts: Texts;
  settings: StoreSettings;
  /** Formats a time to the minute, in the time zone of the store. */
  formatTime(time: Date): string;
}

export function createPresentation(
  { locale, settings }: Pick<ExportDescription, "locale" | "settings">,
): Presentation {
  const language = languageFor(locale, settings);
  const isSpoken = locale !== null && locale.split("-")[0] === language;
  const format = new Intl.DateTimeFormat(isSpoken ? locale : language, {
    year: "numeric",
    month: "long",
    day: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    timeZone: settings.timeZone ?? "UTC",
    timeZoneName: "short",
  });
  return { texts: TEXTS[language], settings, formatTime: (time) => format.format(time) };
}

/** A record in words, with its legal basis if the settings of the store state it. */
export interface PresentedRecord extends CollectedRecord {
  legalBasis?: string;
}

/** Puts a record of this service, which has keys of the personal-data map, into words. */
export function presentOwn(record: CollectedRecord, { texts, settings }: Presentation): PresentedRecord {
  const { category, purpose, retention, recipients } = record;
  const stated = purpose.split(" ").flatMap((key) => lookUp(settings.legalBases ?? {}, key) ?? []);
  const bases = stated.map(({ basis, explanation }) =>
    explanation === undefined ? texts.legalBases[basis] : `${texts.legalBases[basis]}: ${explanation}`
  );
  const readers = recipients.map((name) => name === "STAFF" ? texts.staff : name);
  const others = lookUp(settings.recipients ?? {}, category) ?? [];
  return {
    ...record,
    category: inWords(category, texts.categories),
    purpose: inWords(purpose, texts.purposes),
    ...(bases.length > 0 && { legalBasis: [...new Set(bases)].join("; ") }),
    retention: inWords(retention, retentionTexts(texts, settings)),
    recipients: [...new Set([...readers, ...others])],
  };
}

/** Words for keys that are separated by spaces. Other text, such as that of an earlier version, is returned as it is. */
function inWords(keys: string, words: Readonly<Record<string, string>>): string {
  const found = keys.split(" ").map((key) => lookUp(words, key));
  return found.includes(undefined) ? keys : [...new Set(found)].join("; ");
}

function lookUp<Value>(values: Readonly<Record<string, Value>>, key: string): Value | undefined {
  return Object.hasOwn(values, key) ? values[key] : undefined;
}

/** Names and values of the fields in a record of this service, as a customer can read them. */
export function readableFields(
  data: Record<string, unknown>,
  presentation: Presentation,
): [name: string, value: unknown][] {
  return Object.entries(data).map(([name, value]) => [
    lookUp(presentation.texts.columns, name) ?? name,
    readableValue(name, value, presentation),
  ]);
}

function readableValue(name: string, value: unknown, { texts, formatTime }: Presentation): unknown {
  if (typeof value === "boolean") return value ? texts.yes : texts.no;
  if (name === "changed_fields" && Array.isArray(value)) {
    return value.map((field) => lookUp(texts.columns, String(field)) ?? field).join(", ");
  }
  if (typeof value !== "string") return value;
  const words = wordsOf(name, texts);
  if (words) return lookUp(words, value) ?? value;
  const time = name.endsWith("_at") || name === "until" ? new Date(value) : undefined;
  return time && !Number.isNaN(time.getTime()) ? formatTime(time) : value;
}

/** Words for the values of fields that have a closed list of them. */
function wordsOf(name: string, texts: Texts): Readonly<Record<string, string>> | undefined {
  switch (name) {
    case "status":
    case "type":
    case "outcome":
    case "ground":
    case "hold_ground":
      return texts.values;
    case "refusal_ground":
      return texts.notices.grounds;
    case "event":
      return texts.events;
    case "by":
      return texts.principals;
  }
}
