/** Where a request stands at one moment, put together from what has been read of it. */
import type { StateValue } from "xstate";
import type { RequestContext } from "../../actors/gdpr/machines/events.ts";
import { parts } from "../chart/value.ts";

/** What can be said about a request in a line. */
export interface Standing {
  state: StateValue;
  /** Since when it has been in this state, whatever has gone on inside. */
  since: Date;
  /** The moment that all of this is about. */
  now: Date;
  /** Before which its work does not begin; undefined where that is not known. */
  startsAt: Date | undefined;
  dueAt: Date;
  outcome: RequestContext["outcome"];
  reasons: { hold: string | null; refusal: string | null };
  /** What the last scan has found left; undefined where that is not known. */
  residue: number | undefined;
  /** How often each participant has been asked in all, as far as it is known. */
  asked: Readonly<Record<string, number>>;
  /** What the service has tried again and again, and given up; in words. */
  givenUp: readonly string[];
  /** Why nothing can be told of the state, and nothing done about it: the machine or its state is unknown. */
  unreadable: string | undefined;
}

/** The state with what it stands in, without what is inside: `IN_PROGRESS.collecting`. */
export function phaseOf(state: StateValue): string {
  const [[key, inside] = [""]] = parts(state);
  const [[inner] = [undefined]] = inside === undefined ? [] : parts(inside);
  return inner === undefined ? key : `${key}.${inner}`;
}

/** The participants whose regions are active, each with its region's state; none where there are no regions. */
export function regionsOf(state: StateValue): { service: string; state: string }[] {
  const [[, inside] = []] = parts(state);
  const [[, regions] = []] = inside === undefined ? [] : parts(inside);
  if (typeof regions !== "object") return [];
  return parts(regions).map(([service, state]) => ({ service, state: parts(state ?? "")[0]?.[0] ?? "" }));
}

/** The participants that have not answered. */
export function openRegions(state: StateValue): { service: string; state: string }[] {
  return regionsOf(state).filter(({ state }) => ["asked", "retrying", "overdue"].includes(state));
}

/** How the journal's text of a state begins, whatever goes on inside its regions. */
export function phasePrefix(state: StateValue): string {
  if (typeof state === "string") return state;
  const [[key, inside] = ["", ""], beside] = parts(state);
  if (beside) return "{";
  if (typeof inside === "string") return `{${JSON.stringify(key)}:${JSON.stringify(inside)}`;
  const [[inner] = [""], another] = parts(inside ?? "");
  return another ? `{${JSON.stringify(key)}:` : `{${JSON.stringify(key)}:{${JSON.stringify(inner)}:`;
}
