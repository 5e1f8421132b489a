/** Shared types of GDPR requests. */
import type { StoreSettings } from "../../domain/store_settings.ts";

/** Key of a request; both UUIDs in lower case. */
export interface RequestKey {
  storeId: string;
  requestId: string;
}

export const RIGHTS = ["ACCESS", "ERASURE", "RECTIFICATION", "PORTABILITY"] as const;
export type Right = (typeof RIGHTS)[number];

/** How a request reached the store. ACCOUNT: from the signed-in account of the customer. FORM: a form on a page. */
export const CHANNELS = ["ACCOUNT", "EMAIL", "LETTER", "PHONE", "IN_PERSON", "FORM", "OTHER"] as const;
export type ReceiptChannel = (typeof CHANNELS)[number];

/**
 * How the identity of a person was checked. SIGNED_IN: in the account. EMAIL_REPLY: the person answered a message to the
 * email of the account. PHONE_CALLBACK: staff called the number of the account. QUESTIONS: the person knew facts about
 * the account. ID_DOCUMENT: the person showed a document, of which no copy is kept.
 */
export const IDENTITY_METHODS = [
  "SIGNED_IN",
  "EMAIL_REPLY",
  "PHONE_CALLBACK",
  "QUESTIONS",
  "ID_DOCUMENT",
  "ELECTRONIC_ID",
  "IN_PERSON",
] as const;
export type IdentityMethod = (typeof IDENTITY_METHODS)[number];

/** On which ground a person makes a request on behalf of another. */
export const REPRESENTATION_GROUNDS = [
  "AUTHORIZATION",
  "PARENTAL_RESPONSIBILITY",
  "GUARDIANSHIP",
  "INHERITANCE",
] as const;

/** Name of this service among the participants of an access or portability request. */
export const OWN_DATA = "customer-service";

/** A record that a participant holds about the data subject, as proto/…/data_subject_service.proto describes it. */
export interface CollectedRecord {
  category: string;
  purpose: string;
  retention: string;
  recipients: string[];
  data: Record<string, unknown>;
  /** ISO 8601; undefined if the participant does not send it. */
  recordedAt: string | undefined;
}

/** A record with its cursor, from which the participant can resume after the record. */
export interface Delivery {
  record: CollectedRecord;
  cursor: string;
}

/** Keyed hash of an email, with which a participant finds rows of guests. */
export interface ParticipantHash {
  keyId: string;
  /** 64 hexadecimal digits in lower case. */
  hash: string;
}

/** Client of the other services that hold data of a store's customers. */
export interface ParticipantClient {
  /**
   * Streams a participant's records about a customer from a cursor on, and ends after the last one.
   *
   * @throws {ParticipantError} the participant is not configured, does not respond, or sends its records too slowly,
   * too many of them or invalid ones
   */
  collect(
    service: string,
    request: {
      customerId: string;
      storeId: string;
      requestId: string;
      resumeAfter: string | undefined;
      /** Hashes of every email that the customer has had, with the key of the participants. */
      emailHashes: readonly ParticipantHash[];
      /** Trace context of the request. */
      traceparent?: string | undefined;
    },
    signal: AbortSignal,
  ): AsyncIterable<Delivery>;
}

/** Failure of a participant. The reason is shown in the inspector; the message quotes nothing that was sent. */
export class ParticipantError extends Error {
  override name = "ParticipantError";

  constructor(
    readonly reason:
      | "NOT_CONFIGURED"
      | "UNREACHABLE"
      | "TIMEOUT"
      | "REFUSED"
      | "INVALID_DATA"
      | "TOO_MUCH_DATA",
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** A participant's answer is not about the customer and store that it was asked about: nothing of it may be kept. */
export class ForeignDataError extends ParticipantError {
  override name = "ForeignDataError";

  constructor(message: string) {
    super("INVALID_DATA", message);
  }
}

/** Encrypted store of collected records and finished documents. Every method runs its own transaction. */
export interface ExportStore {
  /** Returns what a participant has delivered so far, and prolongs the retention of all records of the request. */
  readProgressAndProlong(
    request: RequestKey,
    service: string,
  ): Promise<{ records: number; resumeAfter: string | undefined; complete: boolean }>;
  /**
   * Stores records together with the cursor of the last one.
   *
   * @param from the cursor from which the caller resumed, undefined for a start from the beginning. If given, it
   * must be the stored one: this keeps two replicas from storing records of one participant at the same time.
   * `maxBytes` limits everything that the participant delivers, in bytes of JSON.
   * @throws {ParticipantError} TOO_MUCH_DATA: with these records it would be more; none of them is stored
   * @throws {DomainError} CONFLICT: another caller has stored records since. REFUSED_IN_STATE: the request has
   * ended, or the participant was waived or has delivered everything
   */
  append(
    request: RequestKey,
    service: string,
    deliveries: readonly Delivery[],
    from?: { resumeAfter: string | undefined; maxBytes?: number },
  ): Promise<void>;
  /** Deletes what a participant has delivered, unless that is complete. */
  discard(request: RequestKey, service: string): Promise<void>;
  /** Marks a participant's data as complete. */
  finish(request: RequestKey, service: string): Promise<void>;
  /** Writes the documents of a request and removes the collected records. Idempotent. */
  compile(request: RequestKey, description: ExportDescription, signal: AbortSignal): Promise<void>;
}

/** Facts about a request and its store that the documents contain. */
export interface ExportDescription {
  customerId: string;
  type: "ACCESS" | "PORTABILITY";
  receivedAt: Date;
  /** Locale of the customer (BCP 47). */
  locale: string | null;
  settings: StoreSettings;
  /** Every participant in the order of the document; `waiverReason` if it was waived, even after its last record. */
  sources: { service: string; waiverReason: string | undefined }[];
}
