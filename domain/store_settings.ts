/** Settings of a store: who is responsible for the personal data, and how the store answers requests about them. */
import { z } from "zod";
import { CATEGORIES, LEGAL_BASES, type Purpose, PURPOSES } from "./processing.ts";
import { country, text } from "./input.ts";

/** Languages of documents. */
export const LANGUAGES = ["en", "de", "fr", "it"] as const;
export type Language = (typeof LANGUAGES)[number];

/** A hundred years. */
const LONGEST_RETENTION_DAYS = 36_500;
/** Documents, notices and links of a completed request have expired by then. */
const SHORTEST_RECORD_DAYS = 90;
/** An erasure must be completed within the calendar month that the GDPR allows. */
const LONGEST_GRACE_HOURS = 28 * 24;

const unique = (values: readonly unknown[]) => new Set(values).size === values.length;

const timeZone = z.string().max(64).refine(
  isTimeZone,
  "must be a time zone of the IANA database, such as Europe/Zurich",
);

function isTimeZone(name: string): boolean {
  if (!/^[A-Za-z]/.test(name)) return false; // an offset does not follow daylight saving time
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

const recordDays = z.int().min(SHORTEST_RECORD_DAYS).max(LONGEST_RETENTION_DAYS).nullable();

const service = z.string().regex(/^[a-z][a-z0-9-]{0,62}$/, "must be the name of a service");

const legalBasis = z.strictObject({
  basis: z.enum(LEGAL_BASES),
  explanation: text(500).optional().meta({
    description: "The legitimate interest, the law, or what the consent is about",
  }),
}).meta({ id: "PurposeLegalBasis" });

const legalBases = z.strictObject(
  Object.fromEntries(PURPOSES.map((purpose) => [purpose, legalBasis.optional()])) as Record<
    Purpose,
    z.ZodOptional<typeof legalBasis>
  >,
);

const recipientNames = z.array(text(200)).min(1, "must name a recipient, or be absent").max(
  20,
  "must have at most 20 recipients",
).refine(unique, "must not repeat a recipient");

const recipients = z.strictObject(
  Object.fromEntries(CATEGORIES.map((category) => [category, recipientNames.optional()])) as Record<
    (typeof CATEGORIES)[number],
    z.ZodOptional<typeof recipientNames>
  >,
);

const thirdCountry = z.strictObject({
  country: country.meta({ description: "ISO 3166-1", example: "US" }),
  recipient: text(200),
  safeguard: text(500).meta({ description: "Such as an adequacy decision, or standard contractual clauses" }),
}).meta({ id: "ThirdCountryTransfer" });

/** Every setting. A setting that is null is not stated: documents leave it out, and the configuration applies. */
export const storeSettings = z.strictObject({
  name: text(100).nullable().meta({ description: "Name of the store in documents", example: "Bergladen" }),
  controller: z.strictObject({
    name: text(200).meta({ example: "Bergladen AG" }),
    address: text(500).meta({ example: "Bahnhofstrasse 1, 8001 Zürich, Switzerland" }),
  }).meta({ id: "Controller" }).nullable().meta({
    description: "The controller of the personal data. In production, access documents require it",
  }),
  dataProtectionContact: text(300).nullable().meta({
    description:
      "How to reach the data protection officer, or another person for questions about data protection. In " +
      "production, access documents require it",
    example: "datenschutz@bergladen.example",
  }),
  supervisoryAuthority: z.strictObject({
    name: text(200),
    complaint: text(500).meta({ description: "How to complain: a page, an address or a phone number" }),
  }).meta({ id: "SupervisoryAuthority" }).nullable().meta({
    description: "The data protection authority that documents name",
  }),
  timeZone: timeZone.nullable().meta({
    description: "Time zone of the IANA database, in which documents show times. Null: UTC",
    example: "Europe/Zurich",
  }),
  holidays: z.array(z.iso.date("must be dates such as 2026-12-25")).max(400, "must have at most 400 dates")
    .refine(unique, "must not repeat a date").nullable().meta({
      description: "Public holidays, on which the store does not work",
    }),
  closedAccountRetentionDays: z.int().min(1).max(LONGEST_RETENTION_DAYS).nullable().meta({
    description:
      "How many days the store keeps a closed account; then its erasure starts by itself. Null: without an end",
  }),
  requestRetentionDays: recordDays.meta({
    description:
      "How many days the store keeps a completed request with its participants, notices and journal. Null: 1096 days, " +
      "three years",
  }),
  journalRetentionDays: recordDays.meta({
    description:
      "How many days the store keeps an event in the journal of a customer. Null: 1096 days, three years",
  }),
  holdRetentionDays: recordDays.meta({
    description: "How many days the store keeps a legal hold that has ended. Null: 1096 days, three years",
  }),
  erasureGraceHours: z.int().min(0).max(LONGEST_GRACE_HOURS).nullable().meta({
    description: "How many hours a customer can cancel an erasure. Null: the duration of `GDPR_GRACE`",
  }),
  languages: z.array(z.enum(LANGUAGES)).min(1, "must name a language").max(LANGUAGES.length).refine(
    unique,
    "must not repeat a language",
  ).nullable().meta({
    description:
      "Languages of documents; the first is for customers whose locale has none of them, and the language of the " +
      "store's own statements in these settings. Null: all, and English for other locales",
  }),
  participants: z.array(service).max(100).refine(unique, "must not repeat a service").nullable().meta({
    description:
      "Which services of `GDPR_PARTICIPANTS` hold data of this store's customers. It applies to requests that are " +
      "opened afterwards. Null: all",
  }),
  legalBases: legalBases.meta({ id: "LegalBases" }).nullable().meta({
    description: "Legal basis by purpose",
  }),
  recipients: recipients.meta({ id: "Recipients" }).nullable().meta({
    description:
      "Recipients by category of data, in addition to staff and to the services that the configuration names",
  }),
  thirdCountries: z.array(thirdCountry).max(50, "must have at most 50 transfers").nullable().meta({
    description: "Transfers to third countries, with their safeguards. Empty: there are no transfers",
  }),
  automatedDecisions: text(2_000).nullable().meta({
    description: "The statement on automated decisions and profiling of Article 15(1)(h)",
  }),
});

export type StoreSettings = z.output<typeof storeSettings>;
export type SettingName = keyof StoreSettings;

export const SETTING_NAMES = Object.keys(storeSettings.shape) as SettingName[];

/** The settings of a store that has set nothing. */
export const NO_SETTINGS = Object.fromEntries(
  SETTING_NAMES.map((name) => [name, null]),
) as unknown as StoreSettings;

/** What an access document needs and the settings do not state, in the order of the document. */
export type MissingStatement = Extract<
  SettingName,
  | "name"
  | "controller"
  | "dataProtectionContact"
  | "supervisoryAuthority"
  | "legalBases"
  | "recipients"
  | "thirdCountries"
  | "automatedDecisions"
>;

export function missingStatements(settings: StoreSettings): MissingStatement[] {
  const stated: Record<MissingStatement, boolean> = {
    name: settings.name !== null,
    controller: settings.controller !== null,
    dataProtectionContact: settings.dataProtectionContact !== null,
    supervisoryAuthority: settings.supervisoryAuthority !== null,
    legalBases: PURPOSES.every((purpose) => settings.legalBases?.[purpose] !== undefined),
    recipients: settings.recipients !== null,
    thirdCountries: settings.thirdCountries !== null,
    automatedDecisions: settings.automatedDecisions !== null,
  };
  return (Object.keys(stated) as MissingStatement[]).filter((name) => !stated[name]);
}

/** Statements without which production creates no access document. */
export const REQUIRED_STATEMENTS: readonly MissingStatement[] = ["controller", "dataProtectionContact"];

/** Returns the participants that hold data of the store's customers, in the order of the configuration. */
export function participantsOf(configured: readonly string[], { participants }: StoreSettings): string[] {
  return configured.filter((service) => participants === null || participants.includes(service));
}

/** Returns the language of documents for a customer's locale (BCP 47), which may be missing. */
export function languageFor(locale: string | null, { languages }: StoreSettings): Language {
  const wanted = locale?.split("-")[0];
  const offered: readonly Language[] = languages ?? LANGUAGES;
  return offered.find((language) => language === wanted) ?? languages?.[0] ?? "en";
}
