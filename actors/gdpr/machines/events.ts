/** What every GDPR request has in common: its context, what it can be told, and what it asks of the world. */
import { exponential } from "../../../lib/backoff.ts";

/** Ids, phases and times (milliseconds since the epoch); personal values never enter a machine. */
export interface RequestContext {
  /** The services that take part, frozen when the request is made: a region each. */
  participants: string[];
  /** RESTORE: the subject was erased before, and a backup has brought the data back. */
  cause: "REQUEST" | "RESTORE";
  receivedAt: number;
  dueAt: number;
  extended: boolean;
  clock: "ON_TIME" | "AT_RISK" | "OVERDUE";
  /** How often each participant has been asked since somebody last looked at it. */
  attempts: Record<string, number>;
  /** How often each has been asked in all; absent where a version that did not count it made the request. */
  asked?: Record<string, number>;
  /** From 0 to 1, drawn as the request is made: requests of one moment do not ask again in step. */
  spread: number;
  outcome: "FULFILLED" | "CANCELLED" | "REFUSED" | null;
  /** Until then nothing is done, and the subject may change their mind. */
  startsAt: number;
  /** What the last re-scan after an erasure has found; 0 before and without one. */
  residue: number;
}

export type RequestInput = Pick<
  RequestContext,
  "participants" | "cause" | "receivedAt" | "dueAt" | "startsAt" | "spread"
>;

export function newContext(input: RequestInput): RequestContext {
  return { ...input, extended: false, clock: "ON_TIME", attempts: {}, outcome: null, residue: 0 };
}

/** What a request can be told. */
export type RequestEvent =
  & { at: number }
  & (
    | { type: "cancel" }
    | { type: "refuse" }
    | { type: "hold" }
    | { type: "release" }
    | { type: "extend"; dueAt: number }
    /** Of one participant, or without any of what comes behind all of them. */
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
    /** The delay before the work begins has passed; the runtime adds whether an access request is open. */
    | { type: "xstate.after"; accessOpen: boolean }
  );

/** What becomes of a participant's row. */
export interface Participant {
  service: string;
  state: "ASKED" | "RETRYING" | "OVERDUE" | "RECEIVED" | "CONFIRMED" | "WAIVED";
  attempts?: number;
  lastError?: string | null;
  /** Milliseconds until it is asked again by itself; null: it is not. Absent: when it is stays as it was. */
  nextAttemptMs?: number | null;
}

/** Declarations of the actions that requests/actions.ts implements. */
export const requestActions = {
  /** Keeps a participant's row in step with its region. */
  participant: (_: unknown, _change: Participant) => {},
  /** Empties the subject's data here and tells the participants: the point of no return. */
  eraseSubject: (_: unknown, _params: { participants: string[] }) => {},
  /** Tells one participant again. */
  askAgain: (_: unknown, _params: { service: string }) => {},
  /** Tells the platform that the subject is erased, and writes the receipt. */
  concludeErasure: () => {},
  /** Removes what has been collected or compiled. */
  destroyExports: () => {},
  /** Lets an erasure go on that has waited for this request. */
  releaseErasure: () => {},
};

/** How long before it is due a request is at risk, in milliseconds. */
export const AT_RISK_MS = 7 * 24 * 60 * 60_000;

/** Doubling from a minute to six hours, and up to a quarter longer. */
export function pauseBefore(attempt: number, spread: number): number {
  const pause = exponential(attempt, 60_000, 6 * 60 * 60_000);
  return Math.round(pause * (1 + spread / 4));
}
