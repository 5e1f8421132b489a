/** Record of processing activities (Article 30 GDPR), generated from the personal-data map, settings and configuration. */
import {
  ERASURE_PROOF_PROCESSING,
  FREE_TEXT,
  FREE_TEXT_PROCESSING,
  JOURNAL_PROCESSING,
  PERSONAL_DATA,
  type ProcessingTerms,
} from "../../db/personal_data.ts";
import {
  CATEGORIES,
  PROPOSED_LEGAL_BASES,
  PURPOSES,
  resolveReaders,
  type ServicesOfReaders,
} from "../../domain/processing.ts";
import {
  type Language,
  missingStatements,
  participantsOf,
  type StoreSettings,
} from "../../domain/store_settings.ts";
import { TEXTS } from "./texts/mod.ts";
import { retentionTexts } from "./texts/retention.ts";
import { fill, type Texts } from "./texts/texts.ts";
import { responsibleFacts } from "./texts/responsible.ts";
import { transfersOf } from "./texts/transfers.ts";

export interface RecordSource {
  storeId: string;
  settings: StoreSettings;
  /** The services that take part in requests by configuration. */
  participants: readonly string[];
  /** Names of the services that may read customers. */
  services: ServicesOfReaders;
}

/** A record in words of one language. */
export interface ProcessingRecord {
  texts: Texts;
  /** Store, controller, contacts and data subjects, with their names. */
  facts: readonly (readonly [name: string, text: string])[];
  activities: readonly Activity[];
  participants: readonly string[];
  /** Undefined: the store states nothing about transfers. */
  transfers: readonly string[] | undefined;
  /** What the settings of the store do not state. */
  missing: readonly string[];
}

/** The processing for one purpose. */
export interface Activity {
  purpose: string;
  legalBasis: string;
  data: readonly { category: string; fields: readonly string[] }[];
  retention: readonly string[];
  recipients: readonly string[];
}

export function createProcessingRecord(
  { storeId, settings, participants, services }: RecordSource,
  language: Language,
): ProcessingRecord {
  const texts = TEXTS[language];
  const { facts, record } = texts;
  const { name, supervisoryAuthority: authority } = settings;
  return {
    texts,
    facts: [
      [facts.store, name === null ? storeId : `${name} (${storeId})`],
      ...responsibleFacts({ texts, settings }),
      ...(authority ? [[facts.supervisoryAuthority, authority.name] as const] : []),
      [record.dataSubjects, record.customers],
    ],
    activities: activitiesOf(texts, settings, services),
    participants: participantsOf(participants, settings),
    transfers: transfersOf({ texts, settings }, record.noThirdCountries),
    missing: missingStatements(settings).map((statement) => record.statements[statement]),
  };
}

/** A field of the database with its processing. */
export interface ProcessedField extends ProcessingTerms {
  table: string;
  field: string;
}

/** Fields of the journal, which has rows about other actors too. */
const JOURNAL_FIELDS = ["event", "by", "changed_fields"];

/** Every field with personal data. */
export function processedFields(): ProcessedField[] {
  const inTable = (table: string, fields: readonly string[], processing: ProcessingTerms) =>
    fields.map((field) => ({ ...processing, table, field }));
  return [
    ...Object.entries(PERSONAL_DATA).flatMap(([table, columns]) =>
      Object.entries(columns).flatMap(([column, processing]) => inTable(table, [column], processing))
    ),
    ...Object.entries(FREE_TEXT).flatMap(([table, columns]) => inTable(table, columns, FREE_TEXT_PROCESSING)),
    ...Object.values(JOURNAL_PROCESSING).flatMap((processing) =>
      inTable("actor_events", JOURNAL_FIELDS, processing)
    ),
    ...inTable("erasure_receipts", ["erasure_receipt"], ERASURE_PROOF_PROCESSING),
    ...inTable("erased_subjects", ["erasure_memory"], ERASURE_PROOF_PROCESSING),
  ];
}

function activitiesOf(texts: Texts, settings: StoreSettings, services: ServicesOfReaders): Activity[] {
  const fields = processedFields();
  const retentions = retentionTexts(texts, settings);
  return PURPOSES.map((purpose) => {
    const ofPurpose = fields.filter((field) => field.purpose === purpose);
    const categories = CATEGORIES.filter((category) =>
      ofPurpose.some((field) => field.category === category)
    );
    const readers = resolveReaders(ofPurpose.flatMap(({ recipients }) => recipients), services)
      .map((reader) => reader === "STAFF" ? texts.staff : reader);
    return {
      purpose: texts.purposes[purpose],
      legalBasis: legalBasisOf(purpose, texts, settings),
      data: categories.map((category) => ({
        category: texts.categories[category],
        fields: [
          ...new Set(
            ofPurpose.filter((field) => field.category === category)
              .map(({ field }) => texts.columns[field] ?? field),
          ),
        ],
      })),
      retention: [...new Set(ofPurpose.map(({ retention }) => retentions[retention]))],
      recipients: [
        ...new Set([
          ...readers,
          ...categories.flatMap((category) => settings.recipients?.[category] ?? []),
        ]),
      ],
    };
  });
}

function legalBasisOf(
  purpose: (typeof PURPOSES)[number],
  { legalBases, record }: Texts,
  settings: StoreSettings,
): string {
  const stated = settings.legalBases?.[purpose];
  if (!stated) return fill(record.proposed, { basis: legalBases[PROPOSED_LEGAL_BASES[purpose]] });
  const { basis, explanation } = stated;
  return explanation === undefined ? legalBases[basis] : `${legalBases[basis]}: ${explanation}`;
}
