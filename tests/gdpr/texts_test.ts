/** Texts of documents: every language is complete, and every field of the personal-data map has its words. */
import assert from "node:assert/strict";
import { OUTCOMES } from "../../actors/gdpr/machines/events.ts";
import { createProcessingRecord, processedFields } from "../../actors/gdpr/record_of_processing.ts";
import { TEXTS } from "../../actors/gdpr/texts/mod.ts";
import { retentionTexts } from "../../actors/gdpr/texts/retention.ts";
import { DOWNLOADED } from "../../actors/gdpr/exports/download_record.ts";
import { RIGHTS } from "../../actors/gdpr/types.ts";
import { createBehaviors } from "../../actors/mod.ts";
import { FREE_TEXT, PERSONAL_DATA } from "../../db/personal_data.ts";
import { HOLD_GROUNDS } from "../../domain/holds.ts";
import { DELIVERIES, NOTICE_KINDS, NOTICE_WAIVERS } from "../../domain/notices.ts";
import { PROPOSED_LEGAL_BASES } from "../../domain/processing.ts";
import { LANGUAGES, NO_SETTINGS } from "../../domain/store_settings.ts";
import { toMarkdown } from "../../tasks/record_of_processing.ts";
import { requestSettings } from "../actors/settings.ts";

/** Texts by their paths. */
function textsOf(value: unknown, path = ""): [path: string, text: string][] {
  if (typeof value === "string") return [[path, value]];
  return Object.entries(value as object).flatMap(([name, inner]) => textsOf(inner, `${path}/${name}`));
}

const placeholders = (text: string) => [...text.matchAll(/\{\w+\}/g)].map(([name]) => name).sort();

/** Differences of a language to English: texts that are missing, empty or unknown, and other placeholders. */
function differences(translated: object): string[] {
  const [english, other] = [new Map(textsOf(TEXTS.en)), new Map(textsOf(translated))];
  const paths = new Set([...english.keys(), ...other.keys()]);
  return [...paths].filter((path) => {
    const [expected, text] = [english.get(path), other.get(path)];
    if (expected === undefined || text === undefined || text.trim() === "") return true;
    return placeholders(expected).join() !== placeholders(text).join();
  });
}

Deno.test("every language has the texts of English with the same placeholders", () => {
  for (const language of LANGUAGES) {
    assert.equal(TEXTS[language].language, language);
    assert.deepEqual(differences(TEXTS[language]), [], language);
    if (language === "en") continue;
    const same = textsOf(TEXTS[language]).filter(([path, text]) =>
      new Map(textsOf(TEXTS.en)).get(path) === text
    );
    assert.ok(same.length < 20, `${language} repeats English: ${same.map(([path]) => path).join(", ")}`);
  }
  const { purposes, access } = TEXTS.de;
  const broken = {
    ...TEXTS.de,
    purposes: { ...purposes, contact: "" },
    access: { ...access, holds: "{dienst}" },
  };
  assert.deepEqual(differences(broken), ["/access/holds", "/purposes/contact"]);
});

Deno.test("every field, event and value in a record of this service has words, which are unique in a record", async () => {
  const { customer, gdpr_request: request } = createBehaviors(await requestSettings());
  const commands = [customer, request].flatMap((
    { creation, handlers },
  ) => [creation.type, ...Object.keys(handlers)]);
  const timers = ["grace.ended", "work.started", "download_wait.ended", "export.expired", "clock.at_risk"];
  const events = [
    ...commands,
    ...timers,
    "clock.overdue",
    "participant.overdue",
    "participant.asked_again",
    "hold.expire",
    DOWNLOADED,
  ];
  const values = [
    "ACTIVE",
    "SUSPENDED",
    "CLOSED",
    "PENDING",
    "IN_PROGRESS",
    "COMPLETED",
    ...RIGHTS,
    ...OUTCOMES,
    ...HOLD_GROUNDS,
    ...NOTICE_KINDS,
    ...DELIVERIES,
    ...NOTICE_WAIVERS,
  ];
  const columns = [PERSONAL_DATA, FREE_TEXT].flatMap((map) =>
    Object.values(map).flatMap((columns) => Array.isArray(columns) ? columns : Object.keys(columns))
  );
  for (const language of LANGUAGES) {
    const texts = TEXTS[language];
    assert.deepEqual(
      [...columns, ...processedFields().map(({ field }) => field)].filter((name) => !texts.columns[name]),
      [],
    );
    assert.deepEqual(events.filter((type) => !texts.events[type]), []);
    assert.deepEqual(values.filter((value) => !texts.values[value]), []);
    for (const [table, map] of Object.entries(PERSONAL_DATA)) {
      const words = [...Object.keys(map), ...FREE_TEXT[table] ?? []].map((column) => texts.columns[column]);
      assert.equal(new Set(words).size, words.length, `${language} ${table}`);
    }
  }
});

Deno.test("every field with personal data is in the record with its purpose, legal basis and retention", () => {
  const source = {
    storeId: crypto.randomUUID(),
    settings: NO_SETTINGS,
    participants: ["order-service"],
    services: {},
  };
  for (const language of LANGUAGES) {
    const record = createProcessingRecord(source, language);
    const { texts } = record;
    const retentions = retentionTexts(texts, NO_SETTINGS);
    assert.deepEqual(Object.values(retentions).filter((text) => /[{}]/.test(text)), []);
    for (const { table, field, category, purpose, retention } of processedFields()) {
      assert.ok(PROPOSED_LEGAL_BASES[purpose], `${table}.${field}`);
      const activity = record.activities.find((activity) => activity.purpose === texts.purposes[purpose]);
      const data = activity?.data.find((data) => data.category === texts.categories[category]);
      assert.ok(data?.fields.includes(texts.columns[field]!), `${table}.${field}`);
      assert.ok(activity?.retention.includes(retentions[retention]), `${table}.${field}`);
      assert.notEqual(activity?.legalBasis.trim(), "");
    }
    assert.equal(record.missing.length, 8);
    assert.equal(record.transfers, undefined);
  }
});

Deno.test("the record in Markdown has what the settings state, and marks legal bases that are only proposed", () => {
  const settings = {
    ...NO_SETTINGS,
    name: "Berg <laden>",
    controller: { name: "Bergladen AG", address: "Bahnhofstrasse 1" },
    legalBases: { pricing: { basis: "LEGITIMATE_INTERESTS" as const, explanation: "discounts" } },
    recipients: { address: ["the carrier"] },
    requestRetentionDays: 1_461,
    thirdCountries: [{ country: "US" as const, recipient: "Mailer_Inc", safeguard: "contractual clauses" }],
  };
  const services = { READ_CUSTOMERS: ["identity-service"], GetCustomerSnapshot: ["checkout-service"] };
  const source = { storeId: "S", settings, participants: ["order-service"], services };
  const text = toMarkdown(createProcessingRecord(source, "en"));
  for (
    const line of [
      "# Record of processing activities",
      "- **Store**: Berg \\<laden\\> (S)",
      "- **Controller**: Bergladen AG, Bahnhofstrasse 1",
      "- **Legal basis**: legitimate interests (Article 6(1)(f) GDPR): discounts",
      "- **Legal basis**: performance of a contract (Article 6(1)(b) GDPR), a proposal that the store has not confirmed",
      "- **Recipients**: staff of the store, checkout-service, the carrier",
      "- Mailer\\_Inc, United States: contractual clauses",
      "- order-service",
      "- contact for data protection",
    ]
  ) assert.ok(text.split("\n").includes(line), `${line}\n${text}`);
  assert.ok(!text.includes("- recipients"));
  for (const period of ["1,461 days after the completion of the request", "1,096 days after the event"]) {
    assert.ok(text.includes(period), period);
  }
});
