/** What a request is, in the words of the overview. */
import type { StateValue } from "xstate";
import type { FoundRequest } from "../../db/gdpr_search.ts";
import { parseState, parts } from "../chart/value.ts";
import { phaseOf } from "../request/standing.ts";
import { sentence, stateWords } from "../words.ts";

const TYPES: Record<FoundRequest["type"], string> = {
  ACCESS: "access",
  ERASURE: "erasure",
  RECTIFICATION: "rectification",
  PORTABILITY: "portability",
};
const OUTCOMES: Record<NonNullable<FoundRequest["outcome"]>, string> = {
  FULFILLED: "fulfilled",
  REFUSED: "refused",
  CANCELLED: "cancelled",
};

export const typeWords = (type: FoundRequest["type"]) => TYPES[type];
export const outcomeWords = (outcome: NonNullable<FoundRequest["outcome"]>) => OUTCOMES[outcome];

/** "In progress: awaiting confirmations", "Completed: fulfilled". */
export function statusWords(
  { status, outcome, state }: Pick<FoundRequest, "status" | "outcome" | "state">,
): string {
  const inside = outcome ? outcomeWords(outcome) : innerWords(state);
  const words = stateWords(status);
  return sentence(inside ? `${words}: ${inside}` : words);
}

/** What the status does not say by itself; undefined for a state that this version cannot read. */
function innerWords(stored: unknown): string | undefined {
  const state = readState(stored);
  if (typeof state !== "object") return undefined;
  const [[, inside] = []] = parts(state);
  const inner: StateValue | undefined = inside;
  return inner === undefined ? undefined : parts(inner).map(([key]) => stateWords(key)).join(", ");
}

/** Who has been asked and has not answered, and what has to be over before: "payment-service (overdue)". */
export function waitedFor({ status, state, participants }: FoundRequest): string[] {
  if (status === "COMPLETED") return [];
  const standing = readState(state);
  if (standing && phaseOf(standing) === "PENDING.waiting_for_access") {
    return ["the customer's access request"];
  }
  return participants.filter(({ state }) => ["ASKED", "RETRYING", "OVERDUE"].includes(state))
    .map(({ service, state }) =>
      state === "ASKED" ? service : `${service} (${stateWords(state.toLowerCase())})`
    );
}

/** Undefined for what is no state. */
function readState(stored: unknown): StateValue | undefined {
  return typeof stored === "object" && stored !== null ? parseState(JSON.stringify(stored)) : undefined;
}

/** How an id is called where there is little room: its last digits, as its first ones tell only when it was made. */
export const shortId = (id: string) => `…${id.slice(-8)}`;
