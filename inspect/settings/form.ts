/** Fields of the form of a store's settings: from the settings, and to a change of them. */
import { CATEGORIES, PURPOSES } from "../../domain/processing.ts";
import { LANGUAGES, type StoreSettings } from "../../domain/store_settings.ts";
import { singleLine } from "../forms.ts";

/** Values of the form's fields by name. A box that is not checked is absent. */
export type FormValues = Readonly<Record<string, string>>;

/** Periods of records, which have a default. */
export const RECORD_PERIODS = ["requestRetentionDays", "journalRetentionDays", "holdRetentionDays"] as const;

const CHECKED = "yes";
/** Rows for transfers in addition to those that exist. */
const SPARE_ROWS = 3;
const MAX_ROWS = 50;

export function valuesOf(settings: StoreSettings): FormValues {
  const { controller, supervisoryAuthority: authority, languages, thirdCountries } = settings;
  return {
    name: settings.name ?? "",
    controllerName: controller?.name ?? "",
    controllerAddress: controller?.address ?? "",
    dataProtectionContact: settings.dataProtectionContact ?? "",
    authorityName: authority?.name ?? "",
    authorityComplaint: authority?.complaint ?? "",
    timeZone: settings.timeZone ?? "",
    holidays: (settings.holidays ?? []).join("\n"),
    closedAccountRetentionDays: String(settings.closedAccountRetentionDays ?? ""),
    ...Object.fromEntries(RECORD_PERIODS.map((name) => [name, String(settings[name] ?? "")])),
    erasureGraceHours: String(settings.erasureGraceHours ?? ""),
    defaultLanguage: languages?.[0] ?? "",
    ...checked("language", languages ?? []),
    ...(settings.participants === null && { allParticipants: CHECKED }),
    ...checked("participant", settings.participants ?? []),
    ...Object.fromEntries(PURPOSES.flatMap((purpose) => {
      const { basis = "", explanation = "" } = settings.legalBases?.[purpose] ?? {};
      return [[`basis.${purpose}`, basis], [`explanation.${purpose}`, explanation]];
    })),
    ...Object.fromEntries(CATEGORIES.map((category) => [
      `recipients.${category}`,
      (settings.recipients?.[category] ?? []).join("\n"),
    ])),
    ...(thirdCountries?.length === 0 && { noThirdCountries: CHECKED }),
    ...Object.fromEntries((thirdCountries ?? []).flatMap(({ country, recipient, safeguard }, row) => [
      [`country.${row}`, country],
      [`transferRecipient.${row}`, recipient],
      [`safeguard.${row}`, safeguard],
    ])),
    automatedDecisions: settings.automatedDecisions ?? "",
  };
}

const checked = (field: string, values: readonly string[]) =>
  Object.fromEntries(values.map((value) => [`${field}.${value}`, CHECKED]));

export const isChecked = (values: FormValues, name: string): boolean => values[name] === CHECKED;

/** Number of rows for transfers that the form shows. */
export function rowsOf(values: FormValues): number {
  const used = Array.from({ length: MAX_ROWS }, (_, row) => row).filter((row) => hasTransfer(values, row));
  return Math.min(MAX_ROWS, (used.at(-1) ?? -1) + 1 + SPARE_ROWS);
}

const transferOf = (values: FormValues, row: number) => ({
  country: singleLine(values[`country.${row}`]).toUpperCase(),
  recipient: singleLine(values[`transferRecipient.${row}`]),
  safeguard: singleLine(values[`safeguard.${row}`]),
});

const hasTransfer = (values: FormValues, row: number): boolean =>
  Object.values(transferOf(values, row)).some((text) => text !== "");

/**
 * Converts the form to settings, which the actor validates.
 *
 * @param participants the services that the form lists
 * @returns a sentence about a contradiction in the form instead, if there is one
 */
export function settingsFrom(values: FormValues, participants: readonly string[]): StoreSettings | string {
  const line = (name: string) => singleLine(values[name]) || null;
  const lines = (name: string) =>
    (values[name] ?? "").split(/[\r\n]+/).map(singleLine).filter((text) => text !== "");
  const number = (name: string) => line(name) === null ? null : Number(line(name));
  const transfers = Array.from({ length: MAX_ROWS }, (_, row) => row)
    .filter((row) => hasTransfer(values, row)).map((row) => transferOf(values, row));
  const hasNoTransfers = isChecked(values, "noThirdCountries");
  if (hasNoTransfers && transfers.length > 0) {
    return "Nothing was changed: either list transfers to third countries, or check that there are none.";
  }
  const legalBases = PURPOSES.flatMap((purpose) => {
    const [basis, explanation] = [line(`basis.${purpose}`), line(`explanation.${purpose}`)];
    if (basis === null) return [];
    return [[purpose, { basis, ...(explanation !== null && { explanation }) }]];
  });
  const recipients = CATEGORIES.map((category) => [category, lines(`recipients.${category}`)] as const)
    .filter(([, names]) => names.length > 0);
  const settings = {
    name: line("name"),
    controller: both({ name: line("controllerName"), address: line("controllerAddress") }),
    dataProtectionContact: line("dataProtectionContact"),
    supervisoryAuthority: both({ name: line("authorityName"), complaint: line("authorityComplaint") }),
    timeZone: line("timeZone"),
    holidays: orNull((values.holidays ?? "").split(/[\s,;]+/).filter((date) => date !== "")),
    closedAccountRetentionDays: number("closedAccountRetentionDays"),
    ...Object.fromEntries(RECORD_PERIODS.map((name) => [name, number(name)])),
    erasureGraceHours: number("erasureGraceHours"),
    languages: orNull(languagesFrom(values)),
    participants: isChecked(values, "allParticipants")
      ? null
      : participants.filter((service) => isChecked(values, `participant.${service}`)),
    legalBases: legalBases.length > 0 ? Object.fromEntries(legalBases) : null,
    recipients: recipients.length > 0 ? Object.fromEntries(recipients) : null,
    thirdCountries: hasNoTransfers ? [] : orNull(transfers),
    automatedDecisions: line("automatedDecisions"),
  };
  return settings as StoreSettings;
}

const orNull = <Item>(items: Item[]) => items.length > 0 ? items : null;

/** Null if both texts are missing. If one is, the actor refuses the other. */
function both(texts: Record<string, string | null>): Record<string, string> | null {
  const entries = Object.entries(texts);
  if (entries.every(([, text]) => text === null)) return null;
  return Object.fromEntries(entries.map(([name, text]) => [name, text ?? ""]));
}

/** The languages whose boxes are checked, the default one first. */
function languagesFrom(values: FormValues): string[] {
  const first = LANGUAGES.filter((language) => language === values.defaultLanguage);
  const others = LANGUAGES.filter((language) => isChecked(values, `language.${language}`));
  return [...new Set([...first, ...others])];
}
