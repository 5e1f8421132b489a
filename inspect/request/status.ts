/** Status of a request at one moment, and its state value in parts. */
import type { StateValue } from "xstate";
import type { RequestContext } from "../../actors/gdpr/machines/events.ts";
import type { Calls } from "../waits.ts";
import { parts } from "../chart/value.ts";

/** Data of the status line. */
export interface RequestStatus {
  state: StateValue;
  /** Time at which the request entered this state, regardless of changes in its regions. */
  since: Date;
  /** Time of the status. */
  now: Date;
  /** Earliest start of the work; undefined: unknown. */
  startsAt: Date | undefined;
  dueAt: Date;
  outcome: RequestContext["outcome"];
  completedAt: Date | null;
  /** Proposer of the erasure; undefined: no proposal is open. */
  proposer: string | undefined;
  /** End of the wait for the customer's download; null: it does not wait. */
  fetchWaitEndsAt: Date | null;
  /** Expiry of the documents; undefined: unknown. */
  expiresAt: Date | undefined;
  /** Whether legal holds on the customer keep the request, not a decision about it. */
  isHeldByCustomer?: boolean;
  /** Number of failed checks of the identity. */
  identityFailures: number;
  /** Since when the clock is paused; null: it runs. */
  clockPausedSince: Date | null;
  reasons: {
    hold: string | null;
    information: string | null;
    refusal: string | null;
    cancellation: string | null;
  };
  /** Number of values that the last scan found; undefined: unknown. */
  residue: number | undefined;
  /** Total number of calls to each participant, as far as known. */
  attempts: Readonly<Record<string, number>>;
  /** Calls to the participants that have not answered, by service; absent: unknown. */
  calls?: Readonly<Record<string, Calls>>;
  /** Labels of the effects that failed permanently. */
  abandonedEffects: readonly string[];
  /** Work that fails repeatedly and is retried automatically. */
  failingWork: readonly { label: string; attempts: number; lastError: string | null }[];
  /** Reason why the state cannot be read: the machine or its state is unknown; undefined: it can. */
  unreadable: string | undefined;
}

/** Two outer levels of a state: `IN_PROGRESS.collecting`. */
export function phaseOf(state: StateValue): string {
  const [[key, inside] = [""]] = parts(state);
  const [[inner] = [undefined]] = inside === undefined ? [] : parts(inside);
  return inner === undefined ? key : `${key}.${inner}`;
}

/** Participants with an active region, each with the state of the region. */
export function regionsOf(state: StateValue): { service: string; state: string }[] {
  const [[, inside] = []] = parts(state);
  const [[, regions] = []] = inside === undefined ? [] : parts(inside);
  if (typeof regions !== "object") return [];
  return parts(regions).map(([service, state]) => ({ service, state: parts(state ?? "")[0]?.[0] ?? "" }));
}

/** Participants that have not answered. */
export function openRegions(state: StateValue): { service: string; state: string }[] {
  return regionsOf(state).filter(({ state }) =>
    ["asked", "retrying", "overdue", "waiver_proposed"].includes(state)
  );
}

/** Participants that have not answered and are overdue, or whose last call failed. */
export function failingParticipants({ state, calls = {} }: Pick<RequestStatus, "state" | "calls">): string[] {
  return openRegions(state).filter(({ service, state }) => {
    const { failure = null, state: reached } = calls[service] ?? {};
    return state === "overdue" || reached === "OVERDUE" || failure !== null;
  }).map(({ service }) => service);
}

/** Prefix of the state's text in the journal, which is the same for all states of its regions. */
export function phasePrefix(state: StateValue): string {
  if (typeof state === "string") return state;
  const [[key, inside] = ["", ""], parallel] = parts(state);
  if (parallel) return "{";
  if (typeof inside === "string") return `{${JSON.stringify(key)}:${JSON.stringify(inside)}`;
  const [[inner] = [""], another] = parts(inside ?? "");
  return another ? `{${JSON.stringify(key)}:` : `{${JSON.stringify(key)}:{${JSON.stringify(inner)}:`;
}
