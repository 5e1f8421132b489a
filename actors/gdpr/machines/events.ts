/** Context, events and action declarations that the machines of all GDPR requests share. */
import { exponential } from "../../../lib/backoff.ts";
import type { NoticeKind } from "../../../domain/notices.ts";

/**
 * Result of a completed request. FULFILLED_WITH_WAIVERS: at least one participant was waived. NOT_FETCHED: the
 * documents of an access or portability request expired or were destroyed before the customer had fetched them.
 * NOT_IDENTIFIED: the identity of the person could not be checked.
 */
export const OUTCOMES = [
  "FULFILLED",
  "FULFILLED_WITH_WAIVERS",
  "NOT_FETCHED",
  "CANCELLED",
  "REFUSED",
  "NOT_IDENTIFIED",
] as const;
export type RequestOutcome = (typeof OUTCOMES)[number];

/**
 * Why a request was opened. RESTORE: the customer was erased before, and a restored backup contains the data again.
 * RETENTION: the retention period of the closed account ends.
 */
export const CAUSES = ["REQUEST", "RESTORE", "RETENTION"] as const;
export type Cause = (typeof CAUSES)[number];

/** Context of a request: IDs, phases and times (milliseconds since the epoch). Personal values never enter a machine. */
export interface RequestContext {
  /** The participating services, fixed when the request is opened: one region each. */
  participants: string[];
  /** RESTORE: the customer was erased before, and a restored backup contains the data again. */
  cause: Cause;
  receivedAt: number;
  /** When the request was entered; absent in requests from a version without it, which was `receivedAt`. */
  openedAt?: number;
  dueAt: number;
  /** Every due date that the request has had, with the time from which it applied. */
  dueDates?: readonly { since: number; dueAt: number }[];
  extended: boolean;
  clock: "ON_TIME" | "AT_RISK" | "OVERDUE";
  /** Attempts per participant since staff last retried it. */
  attempts: Record<string, number>;
  /** All attempts per participant; absent in requests from a version that did not count them. */
  asked?: Record<string, number>;
  /** Random factor from 0 to 1: requests that were opened together retry at different times. */
  spread: number;
  outcome: RequestOutcome | null;
  completedAt: number | null;
  /** Start of the work; until then the customer may cancel. */
  startsAt: number;
  /** Number of personal values that the last search after an erasure found; 0 before the search. */
  residue: number;
  /**
   * Decisions that wait for the confirmation of a second person: the ID of the principal who proposed it, by the
   * participant that the waiver is about, or THE_ERASURE.
   */
  proposals: Record<string, string>;
  /** Participants of an erasure that have not confirmed in time. */
  overdue: string[];
  waived: string[];
  /** End of the time in which the customer can fetch the documents; null until they exist. */
  expiresAt: number | null;
  /** Time at which the customer first fetched the data completely. */
  fetchedAt: number | null;
  /** Until when an erasure waits for the customer's download, unless it is due earlier. */
  fetchUntil: number | null;
  /** The customer has ended the wait for the download. */
  proceeds: boolean;
  /**
   * Why the erasure is on hold: staff hold the request, or legal holds on the customer are in effect. Null unless it is
   * on hold.
   */
  heldBy: "REQUEST" | "CUSTOMER" | null;
  /** Whether the identity of the person has to be checked first; absent in requests from a version without checks. */
  unidentified?: boolean;
  /** Number of checks that have failed. */
  identityFailures?: number;
  /** When the clock was paused, as information was requested from the person; null while it runs. */
  pausedAt?: number | null;
  /** Number of days on which the clock was paused. */
  pausedDays?: number;
}

/** Key of the proposal to erase, among the proposals to waive a participant. */
export const THE_ERASURE = "";

export type RequestInput =
  & Pick<
    RequestContext,
    "participants" | "cause" | "receivedAt" | "openedAt" | "dueAt" | "startsAt" | "spread"
  >
  & {
    /** Whether legal holds on the customer are in effect. */
    customerHeld?: boolean;
    /** ID of the principal who opened an erasure that a second person has to confirm. */
    proposedBy?: string;
    unidentified?: boolean;
  };

export function newContext({ proposedBy, customerHeld = false, ...input }: RequestInput): RequestContext {
  return {
    ...input,
    dueDates: [{ since: openedAtOf(input), dueAt: input.dueAt }],
    extended: false,
    clock: "ON_TIME",
    attempts: {},
    outcome: null,
    completedAt: null,
    residue: 0,
    proposals: proposedBy === undefined ? {} : { [THE_ERASURE]: proposedBy },
    overdue: [],
    waived: [],
    expiresAt: null,
    fetchedAt: null,
    fetchUntil: null,
    proceeds: false,
    heldBy: customerHeld && proposedBy === undefined && !input.unidentified ? "CUSTOMER" : null,
    identityFailures: 0,
    pausedAt: null,
    pausedDays: 0,
  };
}

/** When a request was entered, in milliseconds since the epoch. */
export const openedAtOf = ({ openedAt, receivedAt }: Pick<RequestContext, "openedAt" | "receivedAt">) =>
  openedAt ?? receivedAt;

/** Events of a request, with their time in milliseconds since the epoch. */
export type RequestEvent =
  & { at: number }
  & (
    | { type: "cancel" }
    | { type: "refuse" }
    | { type: "hold" }
    /** `customerHeld`: legal holds on the customer are in effect; the runtime adds it. */
    | { type: "release"; customerHeld?: boolean }
    /** Another request of the subject has erased the data, so the identity cannot be checked any more. */
    | { type: "subject.erased" }
    /** Something about the customer has changed that the request may depend on. */
    | { type: "customer.changed"; customerHeld: boolean; reopened: boolean }
    | { type: "extend"; dueAt: number }
    /** Retries one participant, or without a service the step that follows all participants. */
    | { type: "retry"; service?: string }
    /** The runtime adds who waives, and whether a second person has to confirm it. */
    | { type: "waive"; service: string; by: string; secondPerson: boolean }
    /** Confirms the proposed waiver of a participant, or without a service the proposed erasure. */
    | { type: "confirm"; service?: string; by: string }
    | { type: "reject"; service?: string; by: string }
    | { type: "withdraw"; service?: string; by: string }
    /** The customer requests the erasure that was proposed. */
    | { type: "subject.request" }
    /** The customer ends the wait for the download. */
    | { type: "proceed" }
    /** Staff have checked the identity of the person. */
    | { type: "identity.verify" }
    /** A check of the identity has failed. */
    | { type: "identity.fail" }
    /** Staff have requested information from the person, without which they cannot check the identity. */
    | { type: "information.request" }
    | { type: "information.receive"; dueAt: number; pausedDays: number }
    | { type: "clock.at_risk" }
    | { type: "clock.overdue" }
    | { type: "access.closed" }
    | { type: "source.received"; service: string }
    | { type: "source.failed"; service: string; error: string }
    /** The runtime adds when the documents expire. */
    | { type: "compiled"; expiresAt: number }
    /** The customer has fetched the data completely. */
    | { type: "export.fetched" }
    | { type: "hand_over" }
    /** An erasure has destroyed the documents. */
    | { type: "export.destroyed" }
    /** The customer has fetched all documents, or they have expired. */
    | { type: "download.settled" }
    | { type: "ask"; service: string }
    | { type: "participant.overdue"; service: string }
    | { type: "participant.confirm"; service: string }
    | { type: "verified"; residue: number }
    /**
     * The delay before the start has passed. The runtime adds whether an access request is open, and until when
     * documents are kept that the customer has not fetched; null if there are none.
     */
    | {
      type: "xstate.after";
      customerHeld: boolean;
      reopened: boolean;
      accessOpen: boolean;
      fetchUntil: number | null;
    }
  );

/** Change of a participant's row. */
export interface ParticipantChange {
  service: string;
  state: "ASKED" | "RETRYING" | "OVERDUE" | "RECEIVED" | "CONFIRMED" | "WAIVED";
  attempts?: number;
  lastError?: string | null;
  /** Milliseconds until the next automatic attempt; null for none, absent for no change. */
  nextAttemptMs?: number | null;
}

/** A notice to the customer, and the time in milliseconds since the epoch by which it has to be delivered. */
export interface NoticeParams {
  kind: NoticeKind;
  dueAt: number;
  cause: RequestContext["cause"];
  /** Whether it becomes due with `publishNotices`. */
  waits: boolean;
}

/** Declarations of the actions that requests/actions.ts implements. */
export const requestActions = {
  /** Updates a participant's row to the state of its region. */
  participant: (_: unknown, _change: ParticipantChange) => {},
  /** Erases the customer's data in this service and publishes the erasure to the participants: the point of no return. */
  eraseSubject: (_: unknown, _params: { participants: string[] }) => {},
  /** Publishes the erasure to one participant again. */
  askAgain: (_: unknown, _params: { service: string }) => {},
  /** Publishes that the customer has been erased, and writes the receipt. */
  concludeErasure: () => {},
  /** Removes collected records and compiled documents. */
  destroyExports: () => {},
  /** Creates a notice to the customer. A repetition of an erasure after a restore needs none. */
  notify: (_: unknown, _notice: NoticeParams) => {},
  /** Publishes the notices of this request that wait for its end. */
  publishNotices: () => {},
  /** Resumes an erasure that waits for this request or for the download of its documents. */
  releaseErasure: () => {},
};

/** Time before its due date at which an erasure no longer waits for a download, in milliseconds. */
const START_BEFORE_DUE_MS = 24 * 60 * 60_000;

/** End of the wait for the customer's download: an erasure starts a day before it is due. */
export function fetchWaitEnd({ dueAt }: Pick<RequestContext, "dueAt">, fetchUntil: number): number {
  return Math.min(fetchUntil, dueAt - START_BEFORE_DUE_MS);
}

/** Number of failed checks of the identity after which a request ends. */
export const MAX_IDENTITY_FAILURES = 3;

/** Time in which the person has to send the requested information, in milliseconds. */
export const INFORMATION_WAIT_MS = 30 * 24 * 60 * 60_000;

/** Time before the due date from which a request is at risk, in milliseconds. */
export const AT_RISK_MS = 7 * 24 * 60 * 60_000;

/** Delay before a retry in milliseconds: doubles from a minute to six hours, plus up to a quarter by `spread`. */
export function participantRetryDelay(attempt: number, spread: number): number {
  const delay = exponential(attempt, 60_000, 6 * 60 * 60_000);
  return Math.round(delay * (1 + spread / 4));
}
