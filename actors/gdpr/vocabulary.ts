/** What the parts of a GDPR request call things among themselves. */

/** A request within its store; both UUIDs in lower case. */
export interface RequestKey {
  storeId: string;
  requestId: string;
}

export const RIGHTS = ["ACCESS", "ERASURE", "RECTIFICATION", "PORTABILITY"] as const;
export type Right = (typeof RIGHTS)[number];

/** This service among the sources of an access or portability request. */
export const OWN_DATA = "customer-service";

/** One thing that a source holds about the subject, as proto/…/data_subject_service.proto describes it. */
export interface CollectedRecord {
  category: string;
  purpose: string;
  retention: string;
  recipients: string[];
  data: Record<string, unknown>;
  /** ISO 8601; undefined where the source does not say. */
  recordedAt: string | undefined;
}

/** A record as it arrives, with the cursor behind which its source goes on. */
export interface Delivery {
  record: CollectedRecord;
  cursor: string;
}

/** The services that hold data of a store's customers, beside this one. */
export interface Peers {
  /**
   * Asks a peer for what it holds, from a cursor on. Ends when the peer has told everything.
   *
   * @throws {PeerError} the peer is not configured, does not answer, answers too slowly, too much or nonsense
   */
  collect(
    service: string,
    request: {
      customerId: string;
      storeId: string;
      requestId: string;
      resumeAfter: string | undefined;
      /** Where in which trace it is asked. */
      traceparent?: string | undefined;
    },
    signal: AbortSignal,
  ): AsyncIterable<Delivery>;
}

/** What a peer did wrong, in a word for the inspector and without what it has sent. */
export class PeerError extends Error {
  override name = "PeerError";

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

/** Where collected records and finished documents lie, encrypted. Every method is a transaction of its own. */
export interface ExportStore {
  /** What a source has delivered so far. */
  progress(
    request: RequestKey,
    service: string,
  ): Promise<{ records: number; resumeAfter: string | undefined; complete: boolean }>;
  /** Keeps records and where the source goes on behind the last of them, both or neither. */
  append(request: RequestKey, service: string, deliveries: readonly Delivery[]): Promise<void>;
  /** The source has delivered everything. */
  finish(request: RequestKey, service: string): Promise<void>;
  /** Makes the documents of a request out of what its sources have delivered, and removes that. Repeatable. */
  compile(request: RequestKey, description: ExportDescription, signal: AbortSignal): Promise<void>;
}

/** What the documents say about the request itself. */
export interface ExportDescription {
  customerId: string;
  type: "ACCESS" | "PORTABILITY";
  createdAt: Date;
  /** Every source, and for one that was waived the reason; in the order of the document. */
  sources: { service: string; waiverReason: string | undefined }[];
}
