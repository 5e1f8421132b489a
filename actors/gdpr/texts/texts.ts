/** Shape of the texts that documents for customers and for authorities consist of. One file holds each language. */
import type { Category, LegalBasis, Purpose, Retention } from "../../../domain/processing.ts";
import type { BECAUSE } from "../receipts/file.ts";
import type { NoticeKind, RefusalGround } from "../../../domain/notices.ts";
import type { Language, MissingStatement } from "../../../domain/store_settings.ts";

/** A name and a sentence. */
export interface Statement {
  name: string;
  text: string;
}

/** Text for one and for several things; `{count}` is their number. */
export interface Counted {
  one: string;
  other: string;
}

/** Rights of the customer in addition to access. */
export const RIGHT_NAMES = [
  "rectification",
  "erasure",
  "restriction",
  "portability",
  "withdrawal",
  "complaint",
] as const;
export type RightName = (typeof RIGHT_NAMES)[number];

/** Names in braces are replaced by `fill`. Every language has the same names in the same texts. */
export interface Texts {
  language: Language;
  /** Name of the language in itself. */
  languageName: string;
  access: {
    title: string;
    introduction: string;
    contents: string;
    rights: string;
    statements: string;
    dataAndPurposes: string;
    /** Note of a participant without complete data in the table of contents. */
    incomplete: string;
    furtherPurposes: string;
    none: string;
    notStated: string;
    /** `{service}`, `{records}` */
    holds: string;
    /** `{service}` */
    holdsNothing: string;
    /** `{service}`, `{records}`, `{reason}` */
    waived: string;
    /** `{service}`, `{reason}` */
    waivedWithoutRecords: string;
    /** `{reason}`; it follows `holds` or `holdsNothing`. */
    completeDespiteWaiver: string;
    records: Counted;
  };
  /** Names of facts. */
  facts: Record<
    | "store"
    | "controller"
    | "dataProtectionContact"
    | "supervisoryAuthority"
    | "customerNumber"
    | "request"
    | "requested"
    | "compiled"
    | "category"
    | "purpose"
    | "legalBasis"
    | "retention"
    | "recipients"
    | "records"
    | "thirdCountries"
    | "automatedDecisions",
    string
  >;
  noThirdCountries: string;
  /** `{recipient}`, `{country}`, `{safeguard}` */
  thirdCountry: string;
  rights: Record<RightName, Statement>;
  /** `{authority}`, `{complaint}` */
  complaintToAuthority: string;
  categories: Record<Category, string>;
  purposes: Record<Purpose, string>;
  legalBases: Record<LegalBasis, string>;
  /** `{days}` where a period of the store applies. */
  retentions: Record<Retention, string>;
  staff: string;
  yes: string;
  no: string;
  /** Names of the fields in records of this service, which are mostly columns. */
  columns: Record<string, string>;
  /** Values of the fields `status`, `type`, `outcome`, `ground` and `hold_ground`. */
  values: Record<string, string>;
  /** Events of the journal. */
  events: Record<string, string>;
  /** Who caused an event. */
  principals: Record<string, string>;
  /** The record of processing activities. */
  record: {
    title: string;
    introduction: string;
    activities: string;
    dataSubjects: string;
    customers: string;
    data: string;
    participants: string;
    participantsNote: string;
    security: string;
    securityMeasures: readonly string[];
    noThirdCountries: string;
    missing: string;
    /** `{basis}` */
    proposed: string;
    statements: Record<MissingStatement, string>;
  };
  /** Receipt of an erasure as a page. */
  receipt: {
    title: string;
    introduction: string;
    number: string;
    erasedAt: string;
    completedAt: string;
    erased: string;
    because: Record<keyof typeof BECAUSE, string>;
    secondPerson: string;
    /** `{values}` */
    cleared: string;
    values: Counted;
    nothingErased: string;
    nothingLeft: string;
    /** `{count}` */
    residue: string;
    reasons: string;
    participants: string;
    noParticipants: string;
    /** `{service}`, `{at}` */
    confirmed: string;
    signed: string;
    /** `{service}`, `{at}` */
    waived: string;
    waiverConfirmed: string;
    verify: string;
    /** `{keys}` */
    steps: string;
    previous: string;
    key: string;
    publicKey: string;
  };
  /** Notices about a request, of which each text is a paragraph. */
  notices: {
    /** The texts: `{right}`, `{received}`, and of some `{due}`, `{completed}`, `{until}`, `{request}`. */
    kinds: Record<NoticeKind, { subject: string; text: string }>;
    /** Of an erasure without a known end of that time. */
    cancellable: string;
    /** `{until}` */
    cancellableUntil: string;
    /** Instead of the texts that name the account of the person. */
    withoutAccount: {
      /** `{right}`, `{received}`, `{until}` */
      ready: string;
      cancellable: string;
      /** `{until}` */
      cancellableUntil: string;
    };
    /** `{reason}` */
    reason: string;
    /** `{ground}` */
    ground: string;
    /** `{services}` */
    waived: string;
    remedy: string;
    /** `{contact}` */
    contact: string;
    /** `{controller}` */
    controller: string;
    /** `{request}` */
    reference: string;
    grounds: Record<RefusalGround, string>;
  };
}

/** Replaces the names in braces by their values; a name without a value stays. */
export function fill(text: string, values: Readonly<Record<string, string>>): string {
  return text.replace(/\{(\w+)\}/g, (placeholder, name: string) => values[name] ?? placeholder);
}

/** Returns the text for a number of things. */
export function counted({ one, other }: Counted, count: number): string {
  return fill(count === 1 ? one : other, { count: String(count) });
}
