/** Labels of a request: type, outcome, status and pending services. */
import type { StateValue } from "xstate";
import type { FoundRequest } from "../../db/gdpr_search.ts";
import { parseState, parts } from "../chart/value.ts";
import { phaseOf } from "../request/status.ts";
import { capitalize, stateLabel } from "../labels.ts";

const TYPES: Record<FoundRequest["type"], string> = {
  ACCESS: "access",
  ERASURE: "erasure",
  RECTIFICATION: "rectification",
  PORTABILITY: "portability",
};
const OUTCOMES: Record<NonNullable<FoundRequest["outcome"]>, string> = {
  FULFILLED: "fulfilled",
  FULFILLED_WITH_WAIVERS: "fulfilled with waivers",
  NOT_FETCHED: "not fetched",
  REFUSED: "refused",
  CANCELLED: "canceled",
  NOT_IDENTIFIED: "not identified",
};

export const typeLabel = (type: FoundRequest["type"]) => TYPES[type];
export const outcomeLabel = (outcome: NonNullable<FoundRequest["outcome"]>) => OUTCOMES[outcome];

/** Status with its inner state or outcome: "In progress: awaiting confirmations", "Completed: fulfilled". */
export function statusLabel(
  { status, outcome, state }: Pick<FoundRequest, "status" | "outcome" | "state">,
): string {
  const inside = outcome ? outcomeLabel(outcome) : innerWords(state);
  const words = stateLabel(status);
  return capitalize(inside ? `${words}: ${inside}` : words);
}

/** Label of the inner state; undefined if this version cannot read the state. */
function innerWords(stored: unknown): string | undefined {
  const state = readState(stored);
  if (typeof state !== "object") return undefined;
  const [[, inside] = []] = parts(state);
  const inner: StateValue | undefined = inside;
  return inner === undefined ? undefined : parts(inner).map(([key]) => stateLabel(key)).join(", ");
}

/** Party that a pending erasure waits for, by its phase. */
const BLOCKED_BY: Readonly<Record<string, string>> = {
  "PENDING.identifying": "staff, to check the identity",
  "PENDING.waiting_for_information": "the person, for information",
  "PENDING.proposed": "a second person",
  "PENDING.waiting_for_access": "the customer's access request",
  "PENDING.waiting_for_download": "the customer's download",
};

/** Services that have not answered yet, such as "payment-service (overdue)", or the party that blocks the erasure. */
export function waitingFor({ status, state, participants }: FoundRequest): string[] {
  if (status === "COMPLETED") return [];
  const value = readState(state);
  const party = value && BLOCKED_BY[phaseOf(value)];
  if (party) return [party];
  return participants.filter(({ state }) => ["ASKED", "RETRYING", "OVERDUE"].includes(state))
    .map(({ service, state }) =>
      state === "ASKED" ? service : `${service} (${stateLabel(state.toLowerCase())})`
    );
}

/** Undefined if the stored value is not a state. */
function readState(stored: unknown): StateValue | undefined {
  return typeof stored === "object" && stored !== null ? parseState(JSON.stringify(stored)) : undefined;
}

/** Last digits of an ID, for tables and titles. The first digits of a UUIDv7 are only its time. */
export const shortId = (id: string) => `…${id.slice(-8)}`;
