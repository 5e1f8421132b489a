/** Settings of a store: what is accepted, and what follows from them. */
import assert from "node:assert/strict";
import { invalidInput } from "../../domain/input.ts";
import {
  languageFor,
  missingStatements,
  NO_SETTINGS,
  participantsOf,
  type StoreSettings,
  storeSettings,
} from "../../domain/store_settings.ts";

/** Message of the refusal; undefined if the settings are accepted. */
function refusalOf(settings: Record<string, unknown>): string | undefined {
  const { error } = storeSettings.partial().safeParse(settings);
  return error && invalidInput(error, "change store settings").message;
}

Deno.test("settings of every kind are accepted at their limits", () => {
  const accepted: Record<string, unknown[]> = {
    name: ["x".repeat(100), null],
    controller: [{ name: "Bergladen AG", address: "x".repeat(500) }, null],
    timeZone: ["Europe/Zurich", "America/Argentina/Buenos_Aires", "UTC", "Europe/Kyiv", null],
    holidays: [[], ["2026-12-25", "2028-02-29"], null],
    closedAccountRetentionDays: [1, 36_500, null],
    requestRetentionDays: [90, 36_500, null],
    journalRetentionDays: [90, 36_500, null],
    holdRetentionDays: [90, 36_500, null],
    erasureGraceHours: [0, 672, null],
    languages: [["it"], ["de", "fr", "it", "en"], null],
    participants: [[], ["order-service"], null],
    legalBases: [{}, { pricing: { basis: "LEGITIMATE_INTERESTS", explanation: "discounts" } }, null],
    recipients: [{}, { address: ["the carrier"] }, null],
    thirdCountries: [[], [{ country: "US", recipient: "Mailer Inc.", safeguard: "clauses" }], null],
    automatedDecisions: ["x".repeat(2_000), null],
  };
  for (const [name, values] of Object.entries(accepted)) {
    for (const value of values) assert.equal(refusalOf({ [name]: value }), undefined, name);
  }
});

Deno.test("settings that would be wrong in a document are refused with their field and what it accepts", () => {
  const refused: [Record<string, unknown>, RegExp][] = [
    [{ name: "" }, /name must not be empty/],
    [{ name: "x".repeat(101) }, /name must have at most 100 characters/],
    [{ name: "a\nb" }, /control characters/],
    [{ controller: { name: "Bergladen AG" } }, /controller\.address is required/],
    [{ controller: { name: "a", address: "b", fax: "c" } }, /fax is not known/],
    [{ timeZone: "Europe/Atlantis" }, /timeZone must be a time zone of the IANA database/],
    [{ timeZone: "+01:00" }, /time zone of the IANA/],
    [{ holidays: ["2026-02-30"] }, /must be dates such as/],
    [{ holidays: ["2026-12-25", "2026-12-25"] }, /must not repeat a date/],
    [{
      holidays: Array.from(
        { length: 401 },
        (_, day) => new Date(day * 86_400_000).toISOString().slice(0, 10),
      ),
    }, /400/],
    [{ closedAccountRetentionDays: 0 }, /must be at least 1/],
    [{ requestRetentionDays: 89 }, /requestRetentionDays must be at least 90/],
    [{ journalRetentionDays: 36_501 }, /journalRetentionDays must be at most 36500/],
    [{ holdRetentionDays: 1096.5 }, /holdRetentionDays must be of type int/],
    [{ erasureGraceHours: 673 }, /must be at most 672/],
    [{ erasureGraceHours: 1.5 }, /erasureGraceHours must be of type int/],
    [{ languages: [] }, /must name a language/],
    [{ languages: ["rm"] }, /must be en, de, fr,? or it/],
    [{ languages: ["de", "de"] }, /must not repeat a language/],
    [{ participants: ["Order Service"] }, /must be the name of a service/],
    [{ legalBases: { marketing: { basis: "CONSENT" } } }, /marketing is not known/],
    [{ legalBases: { pricing: { basis: "BECAUSE" } } }, /legalBases\.pricing\.basis must be CONSENT/],
    [{ recipients: { address: [] } }, /must name a recipient, or be absent/],
    [{ recipients: { address: ["x".repeat(201)] } }, /at most 200 characters/],
    [{ thirdCountries: [{ country: "XX", recipient: "a", safeguard: "b" }] }, /ISO 3166-1/],
    [{ thirdCountries: [{ country: "US", recipient: "a" }] }, /safeguard is required/],
    [{ logo: "x" }, /logo is not known/],
  ];
  for (const [settings, message] of refused) {
    assert.match(refusalOf(settings) ?? "accepted", message, JSON.stringify(settings).slice(0, 80));
  }
});

Deno.test("the language of a document follows the locale, then the store, then English", () => {
  const language = (locale: string | null, languages: StoreSettings["languages"] = null) =>
    languageFor(locale, { ...NO_SETTINGS, languages });
  assert.deepEqual(["de-CH", "fr", "it-IT", "en-GB"].map((locale) => language(locale)), [
    "de",
    "fr",
    "it",
    "en",
  ]);
  assert.deepEqual([language(null), language("rm-CH"), language("deu")], ["en", "en", "en"]);
  assert.deepEqual([language("fr-CH", ["de", "it"]), language(null, ["it"])], ["de", "it"]);
  assert.equal(language("it-CH", ["de", "it"]), "it");
});

Deno.test("missing statements are exactly those that the settings do not have, and participants those of both lists", () => {
  const all = missingStatements(NO_SETTINGS);
  assert.equal(all.length, 8);
  const partly = { ...NO_SETTINGS, name: "Bergladen", thirdCountries: [], legalBases: {} };
  assert.deepEqual(all.filter((name) => !missingStatements(partly).includes(name)), [
    "name",
    "thirdCountries",
  ]);
  const configured = ["order-service", "payment-service"];
  const chosen = (participants: string[] | null) =>
    participantsOf(configured, { ...NO_SETTINGS, participants });
  assert.deepEqual([chosen(null), chosen([]), chosen(["payment-service", "former-service"])], [
    configured,
    [],
    ["payment-service"],
  ]);
});
