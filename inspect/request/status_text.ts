/** Status of a request as one line of text. */
import { AT_RISK_MS, MAX_IDENTITY_FAILURES } from "../../actors/gdpr/machines/events.ts";
import { formatCount, formatDueDate, formatDuration } from "../durations.ts";
import { phaseLabel } from "../timeline/changes.ts";
import { capitalize } from "../labels.ts";
import { describeWait, isGivenUp, type Words } from "../waits.ts";
import { failingParticipants, openRegions, phaseOf, regionsOf, type RequestStatus } from "./status.ts";

/** Urgency of a status. */
export type Tone = "quiet" | "good" | "risk" | "alarm";

export interface StatusText {
  words: Words;
  tone: Tone;
}

/** Texts of the states of all four machines. Without a tone, the due date decides it. */
const STATUS_TEXTS: Readonly<Record<string, (status: RequestStatus) => { words: Words; tone?: Tone }>> = {
  "PENDING": () => ({ words: ["Recorded; about to start"] }),
  "PENDING.recorded": ({ startsAt, now }) => ({
    words: startsAt && startsAt > now
      ? ["Recorded; the work starts on ", startsAt]
      : ["Recorded; about to start"],
  }),
  "PENDING.grace": ({ startsAt, now }) => ({
    words: startsAt && startsAt <= now
      ? ["The erasure is about to start"]
      : startsAt
      ? ["Grace period until ", startsAt, "; can still be canceled"]
      : ["Grace period; can still be canceled"],
  }),
  "PENDING.waiting_for_access": ({ since, now }) => ({
    words: [
      `Waiting ${
        elapsed(since, now)
      }for the customer's access request to be closed; the erasure starts after it`,
    ],
  }),
  "PENDING.identifying": ({ identityFailures }) => ({
    words: [
      "Staff have to check the identity of the person",
      ...(identityFailures > 0
        ? [`; ${formatCount(identityFailures, "check")} failed, of at most ${MAX_IDENTITY_FAILURES}`]
        : []),
    ],
    tone: "risk",
  }),
  "PENDING.waiting_for_information": ({ clockPausedSince, reasons }) => ({
    words: [
      "Waiting for information from the person; the clock is paused",
      ...(clockPausedSince ? [" since ", clockPausedSince] : []),
      ...withReason(reasons.information),
    ],
  }),
  "PENDING.proposed": ({ proposer }) => ({
    words: [`Proposed${proposer ? ` by ${proposer}` : ""}; a second person has to confirm or reject it`],
    tone: "risk",
  }),
  "PENDING.waiting_for_download": ({ fetchWaitEndsAt }) => ({
    words: [
      "Waiting until the person has the documents of an earlier request, ",
      ...(fetchWaitEndsAt ? ["at the latest until ", fetchWaitEndsAt] : ["or the wait ends"]),
      "; the erasure then destroys them",
    ],
  }),
  "PENDING.held": ({ since, reasons, isHeldByCustomer }) => ({
    words: isHeldByCustomer
      ? ["On hold since ", since, " by legal holds on the customer; continues by itself after the last one"]
      : ["On hold since ", since, ...withReason(reasons.hold)],
  }),
  "IN_PROGRESS": () => ({ words: ["In progress"] }),
  "IN_PROGRESS.collecting": waitingFor,
  "IN_PROGRESS.awaiting_confirmations": waitingFor,
  "IN_PROGRESS.compiling": () => ({ words: ["All data collected; creating the documents"] }),
  "IN_PROGRESS.verifying": () => ({ words: ["All services have answered; scanning for remaining data"] }),
  "IN_PROGRESS.residue_found": ({ residue }) => ({
    words: [
      `The scan found ${
        residue ? `${formatCount(residue, "remaining value")}` : "remaining data"
      }; manual check required`,
    ],
    tone: "alarm",
  }),
  "COMPLETED": completed,
  "COMPLETED.available": (status) => {
    const { words, tone } = completed(status);
    const { expiresAt } = status;
    return {
      words: [
        ...words,
        "; the person does not have the documents yet",
        ...(expiresAt ? [", which expire on ", expiresAt] : []),
      ],
      ...(tone && { tone }),
    };
  },
  "COMPLETED.fetched": completed,
  "COMPLETED.not_fetched": completed,
  "COMPLETED.without_documents": completed,
};

export function describeStatus(status: RequestStatus): StatusText {
  const { state, unreadable, abandonedEffects, failingWork, dueAt, now } = status;
  const phase = phaseOf(state);
  const describe = Object.hasOwn(STATUS_TEXTS, phase) ? STATUS_TEXTS[phase] : undefined;
  const { words, tone } = describe && unreadable === undefined
    ? describe(status)
    : { words: [`${capitalize(phaseLabel(state))}${unreadable ? `; ${unreadable}` : ""}`], tone: undefined };
  if (phase.split(".")[0] === "COMPLETED") return { words, tone: tone ?? "quiet" };
  const stuck = abandonedEffects.length > 0
    ? [`Failed permanently: ${abandonedEffects.join(", ")}; retry manually. `]
    : [];
  const failing = failingWork.flatMap(({ label, attempts, lastError }): Words => [
    `Failed ${attempts} times in a row: ${label}`,
    ...(lastError === null ? [] : [": ", { quote: lastError }]),
    "; retried automatically. ",
  ]);
  const remainingMs = dueAt.getTime() - now.getTime();
  const dueTone: Tone = remainingMs < 0 ? "alarm" : remainingMs <= AT_RISK_MS ? "risk" : "quiet";
  const shown = tone === "risk" && dueTone === "quiet" ? "risk" : dueTone;
  const alarming = tone === "alarm" || stuck.length + failing.length > 0 || unreadable !== undefined;
  return {
    words: [...stuck, ...failing, ...words, `; ${formatDueDate(dueAt, now)}`],
    tone: alarming ? "alarm" : shown,
  };
}

/** Maximum number of services that the text names; more are only counted. */
const MAX_NAMED = 3;
/** Maximum number of services whose failure the text describes. */
const MAX_DESCRIBED = 2;

function waitingFor(status: RequestStatus): { words: Words; tone?: Tone } {
  const { state, attempts, calls = {} } = status;
  const open = openRegions(state);
  const failing = failingParticipants(status).filter((service) => calls[service] !== undefined);
  const proposed = open.filter(({ state }) => state === "waiver_proposed").map(({ service }) => service);
  const toConfirm = proposed.length === 0
    ? ""
    : `; a second person has to confirm or reject the waiver of ${
      proposed.length <= MAX_NAMED ? joinNames(proposed) : `${proposed.length} services`
    }`;
  const tones = {
    ...(proposed.length > 0 && { tone: "risk" as const }),
    ...(open.some(({ service, state }) =>
      state === "overdue" || (calls[service] && isGivenUp(calls[service]))
    ) &&
      { tone: "alarm" as const }),
  };
  if (failing.length === 0) return { words: [...quietWait(status), toConfirm], ...tones };
  const described = failing.toSorted((one, other) =>
    Number(isGivenUp(calls[other]!)) - Number(isGivenUp(calls[one]!))
  ).slice(0, MAX_DESCRIBED);
  const others = open.map(({ service }) => service).filter((service) => !described.includes(service));
  const also = others.length === 0
    ? ""
    : `; also waiting for ${
      others.length <= MAX_NAMED ? joinNames(others) : `${others.length} other services`
    }`;
  const sentences = described.flatMap((service, index): Words => [
    ...(index > 0 ? ["; "] : []),
    ...describeWait(service, attempts[service] ?? 0, calls[service]!),
  ]);
  return { words: [...sentences, also, toConfirm], ...tones };
}

/** "Waiting 3 days for payment-service; asked 4 times, again automatically on …" */
function quietWait({ state, since, now, attempts, calls = {} }: RequestStatus): Words {
  const regions = regionsOf(state);
  const open = openRegions(state);
  const overdue = open.filter(({ state }) => state === "overdue").map(({ service }) => service);
  const names = open.length <= MAX_NAMED
    ? joinNames(open.map(({ service }) => service))
    : `${open.length} of ${regions.length} services`;
  const counts = new Set(open.map(({ service }) => attempts[service] ?? 0));
  const times = Math.max(0, ...counts);
  const often = times === 0 ? "" : `; asked ${counts.size > 1 ? "up to " : ""}${formatTimes(times)}`;
  const next =
    open.flatMap(({ service }) => calls[service]?.nextAttemptAt ?? []).toSorted((one, other) =>
      one.getTime() - other.getTime()
    )[0];
  const late = overdue.length === 0
    ? ""
    : `; ${overdue.length <= MAX_NAMED ? joinNames(overdue) : overdue.length} overdue`;
  const again = next && often !== "" ? [", again automatically on ", next] : [];
  return [`Waiting ${elapsed(since, now)}for ${names || "no service"}${often}`, ...again, late];
}

function completed(
  { outcome, since, completedAt, dueAt, reasons }: RequestStatus,
): { words: Words; tone?: Tone } {
  const at = completedAt ?? since;
  const late = at > dueAt ? `, ${formatDuration(at.getTime() - dueAt.getTime())} late` : "";
  switch (outcome) {
    case "FULFILLED":
      return { words: ["Completed: fulfilled on ", at, late], tone: "good" };
    case "FULFILLED_WITH_WAIVERS":
      return { words: ["Completed: fulfilled with waivers on ", at, late], tone: "risk" };
    case "NOT_FETCHED":
      return {
        words: [
          "Completed: answered on ",
          at,
          late,
          ", but the documents were gone before the person had them",
        ],
        tone: "risk",
      };
    case "REFUSED":
      return { words: ["Completed: refused on ", since, ...withReason(reasons.refusal)] };
    case "NOT_IDENTIFIED":
      return { words: ["Completed: the identity of the person was not established; ended on ", since] };
    case "CANCELLED":
      return { words: ["Completed: canceled on ", since, ...withReason(reasons.cancellation)] };
    default:
      return { words: ["Completed on ", since] };
  }
}

function withReason(reason: string | null): Words {
  return reason === null ? [] : [": ", { quote: reason }];
}

/** "3 days "; empty below one minute. */
function elapsed(since: Date, now: Date): string {
  const length = now.getTime() - since.getTime();
  return length < 60_000 ? "" : `${formatDuration(length)} `;
}

/** Count of repetitions: "once", "twice", "3 times". */
export function formatTimes(times: number): string {
  return times === 1 ? "once" : times === 2 ? "twice" : `${times} times`;
}

function joinNames(names: readonly string[]): string {
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}
