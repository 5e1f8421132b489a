/** Context, events and action declarations that the machines of all GDPR requests share. */
import { exponential } from "../../../lib/backoff.ts";

/** Context of a request: IDs, phases and times (milliseconds since the epoch). Personal values never enter a machine. */
export interface RequestContext {
  /** The participating services, fixed when the request is opened: one region each. */
  participants: string[];
  /** RESTORE: the customer was erased before, and a restored backup contains the data again. */
  cause: "REQUEST" | "RESTORE";
  receivedAt: number;
  dueAt: number;
  extended: boolean;
  clock: "ON_TIME" | "AT_RISK" | "OVERDUE";
  /** Attempts per participant since staff last retried it. */
  attempts: Record<string, number>;
  /** All attempts per participant; absent in requests from a version that did not count them. */
  asked?: Record<string, number>;
  /** Random factor from 0 to 1: requests that were opened together retry at different times. */
  spread: number;
  outcome: "FULFILLED" | "CANCELLED" | "REFUSED" | null;
  /** Start of the work; until then the customer may cancel. */
  startsAt: number;
  /** Number of personal values that the last search after an erasure found; 0 before the search. */
  residue: number;
}

export type RequestInput = Pick<
  RequestContext,
  "participants" | "cause" | "receivedAt" | "dueAt" | "startsAt" | "spread"
>;

export function newContext(input: RequestInput): RequestContext {
  return { ...input, extended: false, clock: "ON_TIME", attempts: {}, outcome: null, residue: 0 };
}

/** Events of a request, with their time in milliseconds since the epoch. */
export type RequestEvent =
  & { at: number }
  & (
    | { type: "cancel" }
    | { type: "refuse" }
    | { type: "hold" }
    | { type: "release" }
    | { type: "extend"; dueAt: number }
    /** Retries one participant, or without a service the step that follows all participants. */
    | { type: "retry"; service?: string }
    | { type: "waive"; service: string }
    | { type: "clock.at_risk" }
    | { type: "clock.overdue" }
    | { type: "access.closed" }
    | { type: "source.received"; service: string }
    | { type: "source.failed"; service: string; error: string }
    | { type: "compiled" }
    | { type: "ask"; service: string }
    | { type: "participant.confirm"; service: string }
    | { type: "verified"; residue: number }
    /** The delay before the start has passed. The runtime adds whether an access request is open. */
    | { type: "xstate.after"; accessOpen: boolean }
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
  /** Resumes an erasure that waits for this request. */
  releaseErasure: () => {},
};

/** Time before the due date from which a request is at risk, in milliseconds. */
export const AT_RISK_MS = 7 * 24 * 60 * 60_000;

/** Delay before a retry in milliseconds: doubles from a minute to six hours, plus up to a quarter by `spread`. */
export function participantRetryDelay(attempt: number, spread: number): number {
  const delay = exponential(attempt, 60_000, 6 * 60 * 60_000);
  return Math.round(delay * (1 + spread / 4));
}
