/** What states, events and delays are called on the pages. A name that is missing here is shown as it is written. */

const STATES: Readonly<Record<string, string>> = {
  PENDING: "pending",
  IN_PROGRESS: "in progress",
  COMPLETED: "completed",
  recorded: "recorded",
  grace: "grace period",
  waiting_for_access: "waiting for an access request",
  held: "on hold",
  awaiting_confirmations: "awaiting confirmations",
  verifying: "scanning for what is left",
  residue_found: "something was left",
  collecting: "collecting",
  compiling: "making the documents",
  asked: "asked",
  retrying: "waiting to ask again",
  overdue: "overdue",
  confirmed: "confirmed",
  received: "received",
  waived: "waived",
  active: "active",
  suspended: "suspended",
  closed: "closed",
  anonymized: "anonymised",
  deleted: "deleted",
};

const EVENTS: Readonly<Record<string, string>> = {
  open: "opened",
  cancel: "cancelled",
  refuse: "refused",
  hold: "put on hold",
  release: "released",
  extend: "extended",
  retry: "told to try again",
  waive: "waived",
  "participant.asked_again": "asked again",
  "participant.overdue": "overdue",
  "grace.ended": "grace period ended",
  "work.started": "work started",
  "clock.at_risk": "due date near",
  "clock.overdue": "due date passed",
  "access.closed": "access request closed",
  "source.received": "data received",
  "source.failed": "attempt failed",
  compiled: "documents made",
  "participant.confirm": "confirmed",
  verified: "scan finished",
  "export.downloaded": "document downloaded",
  register: "registered",
  "profile.update": "profile updated",
  "address.add": "address added",
  "address.update": "address updated",
  "address.delete": "address deleted",
  "group.create": "created",
  "group.update": "updated",
  "group.delete": "deleted",
  "group.assign": "group assigned",
  "group.remove": "group removed",
  "account.suspend": "suspended",
  "account.reinstate": "reinstated",
  "account.close": "closed",
  erase: "erased",
};

/** Events of which the journal says what service or document they were about. */
const EVENTS_ABOUT: Readonly<Record<string, (about: string) => string>> = {
  "participant.asked_again": (service) => `asked ${service} again`,
  "participant.overdue": (service) => `no answer in time from ${service}`,
  "participant.confirm": (service) => `confirmed by ${service}`,
  "source.received": (service) => `received data from ${service}`,
  "source.failed": (service) => `call to ${service} failed`,
  retry: (service) => `retried ${service}`,
  waive: (service) => `waived ${service}`,
  "export.downloaded": (document) => `downloaded ${document}`,
};

const DELAYS: Readonly<Record<string, string>> = { UNTIL_START: "when its time has come" };

/** States in which somebody has to look. */
const ALARMING = new Set(["overdue", "residue_found"]);

export function stateWords(key: string): string {
  return Object.hasOwn(STATES, key) ? STATES[key]! : plain(key);
}

/**
 * @param type an event's name in the journal, or XState's own type for one without a public name
 * @param about the service that the event was about
 */
export function eventWords(type: string, about: string | null = null): string {
  if (about !== null) {
    const words = Object.hasOwn(EVENTS_ABOUT, type) ? EVENTS_ABOUT[type] : undefined;
    return words?.(about) ?? `${eventWords(type)}: ${about}`;
  }
  if (Object.hasOwn(EVENTS, type)) return EVENTS[type]!;
  const [, kind, rest = ""] = /^xstate\.(after|done\.state|done\.actor|error\.actor)\.(.*)$/.exec(type) ?? [];
  if (kind === "after") return delayWords(rest.slice(0, rest.indexOf(".")));
  if (kind === "done.state") return "when done";
  if (kind) return `${rest.slice(rest.indexOf(".") + 1)} ${kind === "done.actor" ? "is done" : "fails"}`;
  return plain(type);
}

/** @param delay milliseconds, or a delay's name */
export function delayWords(delay: string | number): string {
  const ms = Number(delay);
  if (Number.isFinite(ms) && delay !== "") return `after ${durationWords(ms)}`;
  return Object.hasOwn(DELAYS, delay) ? DELAYS[delay]! : `after ${plain(String(delay))}`;
}

/** The largest unit that divides it: "7 days", "90 minutes", "250 milliseconds". */
function durationWords(ms: number): string {
  const units = [["day", 86_400_000], ["hour", 3_600_000], ["minute", 60_000], ["second", 1_000]] as const;
  const [unit, length] = units.find(([, length]) => ms > 0 && ms % length === 0) ?? ["millisecond", 1];
  const count = ms / length;
  return `${count} ${unit}${count === 1 ? "" : "s"}`;
}

/** "first name, phone". */
export function fieldWords(fields: readonly string[]): string {
  return fields.map((field) => field.replaceAll("_", " ")).join(", ");
}

export function isAlarming(key: string): boolean {
  return ALARMING.has(key);
}

/** SCREAMING_SNAKE, snake_case and dots as words; a hyphen belongs to a service's name. */
function plain(name: string): string {
  const words = name.replaceAll(/[_.]+/g, " ").trim();
  return /[a-z]/.test(words) ? words : words.toLowerCase();
}

/** A name at the start of a line; a service keeps its own spelling. */
export function sentence(words: string): string {
  return words.includes("-") && !/\s/.test(words) ? words : words.charAt(0).toUpperCase() + words.slice(1);
}
