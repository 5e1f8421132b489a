/** What is going on with a request, in one line for a person. */
import { AT_RISK_MS } from "../../actors/gdpr/machines/events.ts";
import { counted, dueWords, spanWords } from "../spans.ts";
import { phaseWords } from "../timeline/changes.ts";
import { sentence } from "../words.ts";
import { openRegions, phaseOf, regionsOf, type Standing } from "./standing.ts";

/** Text with instants in it, which are shown in the reader's own zone, and with what people have said. */
export type Words = readonly (string | Date | { said: string })[];

/** How urgently somebody has to look. */
export type Tone = "quiet" | "good" | "risk" | "alarm";

export interface Situation {
  words: Words;
  tone: Tone;
}

/** What each state of the four machines means; `undefined` as a tone leaves it to the due date. */
const SITUATIONS: Readonly<Record<string, (standing: Standing) => { words: Words; tone?: Tone }>> = {
  "PENDING": () => ({ words: ["Recorded; about to begin"] }),
  "PENDING.recorded": ({ startsAt, now }) => ({
    words: startsAt && startsAt > now
      ? ["Recorded; its work begins ", startsAt]
      : ["Recorded; about to begin"],
  }),
  "PENDING.grace": ({ startsAt, now }) => ({
    words: startsAt && startsAt <= now
      ? ["The erasure is about to begin"]
      : startsAt
      ? ["Grace period until ", startsAt, "; can still be cancelled"]
      : ["Grace period; can still be cancelled"],
  }),
  "PENDING.waiting_for_access": ({ since, now }) => ({
    words: [
      `Waiting ${
        forSpan(since, now)
      }for the access request of the same customer to be closed; nothing is erased before`,
    ],
  }),
  "PENDING.held": ({ since, reasons }) => ({
    words: ["On hold since ", since, ...because(reasons.hold)],
  }),
  "IN_PROGRESS": () => ({ words: ["In progress"] }),
  "IN_PROGRESS.collecting": waitingFor,
  "IN_PROGRESS.awaiting_confirmations": waitingFor,
  "IN_PROGRESS.compiling": () => ({ words: ["Everything is collected; the documents are being made"] }),
  "IN_PROGRESS.verifying": () => ({ words: ["Everybody has answered; scanning for what is left"] }),
  "IN_PROGRESS.residue_found": ({ residue }) => ({
    words: [
      `Scan found ${residue ? `${counted(residue, "value")} left` : "something left"}; somebody has to look`,
    ],
    tone: "alarm",
  }),
  "COMPLETED": completed,
};

export function situationOf(standing: Standing): Situation {
  const { state, unreadable, givenUp, dueAt, now } = standing;
  const phase = phaseOf(state);
  const know = Object.hasOwn(SITUATIONS, phase) ? SITUATIONS[phase] : undefined;
  const { words, tone } = know && unreadable === undefined
    ? know(standing)
    : { words: [`${sentence(phaseWords(state))}${unreadable ? `; ${unreadable}` : ""}`], tone: undefined };
  if (phase.split(".")[0] === "COMPLETED") return { words, tone: tone ?? "quiet" };
  const stuck = givenUp.length > 0
    ? [`Given up after many failures: ${givenUp.join(", ")}; somebody has to look. `]
    : [];
  const left = dueAt.getTime() - now.getTime();
  const clock: Tone = left < 0 ? "alarm" : left <= AT_RISK_MS ? "risk" : "quiet";
  const alarming = tone === "alarm" || stuck.length > 0 || unreadable !== undefined;
  return {
    words: [...stuck, ...words, `; ${dueWords(dueAt, now)}`],
    tone: alarming ? "alarm" : clock,
  };
}

/** How many services are named before they are only counted. */
const NAMED = 3;

function waitingFor({ state, since, now, asked }: Standing): { words: Words; tone?: Tone } {
  const regions = regionsOf(state);
  const open = openRegions(state);
  const overdue = open.filter(({ state }) => state === "overdue").map(({ service }) => service);
  const names = open.length <= NAMED
    ? listed(open.map(({ service }) => service))
    : `${open.length} of ${regions.length} services`;
  const counts = new Set(open.map(({ service }) => asked[service] ?? 0));
  const times = Math.max(0, ...counts);
  const often = times === 0 ? "" : `; asked ${counts.size > 1 ? "up to " : ""}${timesWords(times)}`;
  const late = overdue.length === 0
    ? ""
    : `; ${overdue.length <= NAMED ? listed(overdue) : overdue.length} overdue`;
  return {
    words: [`Waiting ${forSpan(since, now)}for ${names || "nobody"}${often}${late}`],
    ...(overdue.length > 0 && { tone: "alarm" }),
  };
}

function completed({ outcome, since, dueAt, reasons }: Standing): { words: Words; tone?: Tone } {
  const late = since > dueAt ? `, ${spanWords(since.getTime() - dueAt.getTime())} late` : "";
  switch (outcome) {
    case "FULFILLED":
      return { words: ["Completed: fulfilled on ", since, late], tone: "good" };
    case "REFUSED":
      return { words: ["Completed: refused on ", since, ...because(reasons.refusal)] };
    case "CANCELLED":
      return { words: ["Completed: cancelled on ", since] };
    default:
      return { words: ["Completed on ", since] };
  }
}

function because(reason: string | null): Words {
  return reason === null ? [] : [": ", { said: reason }];
}

/** "3 days ", or nothing for what has only just begun. */
function forSpan(since: Date, now: Date): string {
  const length = now.getTime() - since.getTime();
  return length < 60_000 ? "" : `${spanWords(length)} `;
}

/** "once", "twice", "3 times". */
export function timesWords(times: number): string {
  return times === 1 ? "once" : times === 2 ? "twice" : `${times} times`;
}

function listed(names: readonly string[]): string {
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}
