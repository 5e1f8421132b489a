/** Vocabulary of the processing of personal data: categories, purposes, legal bases, retention and readers. */
import type { ServiceRight } from "./service_rights.ts";

/** Categories of personal data. */
export const CATEGORIES = [
  "identity",
  "contact",
  "address",
  "preference",
  "status",
  "commercial",
  "request",
] as const;
export type Category = (typeof CATEGORIES)[number];

/** Purposes of the processing. */
export const PURPOSES = [
  "identification",
  "contact",
  "delivery",
  "language",
  "account",
  "address_choice",
  "pricing",
  "requests",
  "legal_hold",
  "accountability",
] as const;
export type Purpose = (typeof PURPOSES)[number];

/** Legal bases of Article 6(1) GDPR, in its order. */
export const LEGAL_BASES = [
  "CONSENT",
  "CONTRACT",
  "LEGAL_OBLIGATION",
  "VITAL_INTERESTS",
  "PUBLIC_TASK",
  "LEGITIMATE_INTERESTS",
] as const;
export type LegalBasis = (typeof LEGAL_BASES)[number];

/**
 * The legal basis that usually applies to each purpose. The record of processing marks it as a proposal until the
 * settings of the store name the legal basis. Documents for customers never contain it.
 */
export const PROPOSED_LEGAL_BASES: Readonly<Record<Purpose, LegalBasis>> = {
  identification: "CONTRACT",
  contact: "CONTRACT",
  delivery: "CONTRACT",
  language: "CONTRACT",
  account: "CONTRACT",
  address_choice: "CONTRACT",
  pricing: "CONTRACT",
  requests: "LEGAL_OBLIGATION",
  legal_hold: "LEGAL_OBLIGATION",
  accountability: "LEGAL_OBLIGATION",
};

/**
 * Retention of data, as the record of processing and access documents state it.
 *
 * - UNTIL_ERASURE: as long as the account exists.
 * - UNLIMITED: also after an erasure, without an end that is set.
 * - REQUEST: until no request of the person and no notice about one needs them.
 * - REQUEST_RECORD: for the period of the store after the completion of the request.
 * - REQUEST_TEXT: the same, but until an erasure at most.
 * - REQUEST_JOURNAL: the same as REQUEST_RECORD, but the reasons until an erasure at most.
 * - JOURNAL: for the period of the store after the event, and the reasons until an erasure at most.
 * - HOLD_RECORD: for the period of the store after the end of the hold.
 * - ERASURE_PROOF: without an end, because the service must recognize the erased person in every backup.
 */
export const RETENTIONS = [
  "UNTIL_ERASURE",
  "UNLIMITED",
  "REQUEST",
  "REQUEST_RECORD",
  "REQUEST_TEXT",
  "REQUEST_JOURNAL",
  "JOURNAL",
  "HOLD_RECORD",
  "ERASURE_PROOF",
] as const;
export type Retention = (typeof RETENTIONS)[number];

/**
 * Who can read data, besides the customer: staff of the store, the services that the configuration grants a right over
 * REST or a method over gRPC, and the services that take part in GDPR requests.
 */
export type Reader = "STAFF" | ServiceReader;
export type ServiceReader = ServiceRight | "GetCustomerGroups" | "GetCustomerSnapshot" | "PARTICIPANTS";

/** Names of the services that the configuration grants each right or method. */
export type ServicesOfReaders = Readonly<Partial<Record<ServiceReader, readonly string[]>>>;

/** Returns `STAFF`, if it is one of the readers, and the names of the services, each once. */
export function resolveReaders(readers: readonly Reader[], services: ServicesOfReaders): string[] {
  const names = readers.flatMap((reader) => reader === "STAFF" ? [reader] : services[reader] ?? []);
  return [...new Set(names)];
}
