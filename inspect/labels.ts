/** Labels of states, events and delays. A name without a label is shown as separate words. */

const STATES: Readonly<Record<string, string>> = {
  PENDING: "pending",
  IN_PROGRESS: "in progress",
  COMPLETED: "completed",
  recorded: "recorded",
  grace: "grace period",
  waiting_for_access: "waiting for an access request",
  opened: "opened",
  proposed: "waiting for a second person",
  identifying: "identity check",
  waiting_for_information: "waiting for information",
  waiting_for_download: "waiting for a download",
  waiver_proposed: "waiver waits for a second person",
  available: "documents can be downloaded",
  fetched: "documents fetched",
  not_fetched: "documents not fetched",
  without_documents: "without documents",
  held: "on hold",
  awaiting_confirmations: "awaiting confirmations",
  verifying: "scanning for remaining data",
  residue_found: "remaining data found",
  collecting: "collecting",
  compiling: "creating the documents",
  asked: "asked",
  retrying: "waiting to ask again",
  overdue: "overdue",
  confirmed: "confirmed",
  received: "received",
  waived: "waived",
  active: "active",
  suspended: "suspended",
  closed: "closed",
  anonymized: "anonymized",
  deleted: "deleted",
};

const EVENTS: Readonly<Record<string, string>> = {
  open: "opened",
  cancel: "canceled",
  refuse: "refused",
  hold: "put on hold",
  release: "released",
  extend: "extended",
  retry: "retried",
  waive: "waived",
  confirm: "confirmed by a second person",
  reject: "proposal rejected",
  withdraw: "proposal withdrawn",
  "subject.request": "requested by the customer too",
  "identity.verify": "verified",
  "identity.fail": "check failed",
  "information.request": "information requested",
  "information.receive": "information received",
  "information.expired": "information not received in time",
  "subject.erased": "person erased",
  proceed: "download renounced by the customer",
  "download.settled": "no download to wait for",
  "download_wait.ended": "wait for the download ended",
  "export.fetched": "fetched by the customer",
  hand_over: "handed over by staff",
  "export.destroyed": "documents destroyed by the erasure",
  "export.expired": "documents expired",
  "participant.asked_again": "asked again",
  "participant.overdue": "overdue",
  "grace.ended": "grace period ended",
  "work.started": "work started",
  "clock.at_risk": "due date near",
  "clock.overdue": "due date passed",
  "access.closed": "access request closed",
  "source.received": "data received",
  "source.failed": "attempt failed",
  compiled: "documents created",
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
  "hold.place": "legal hold placed",
  "hold.lift": "legal hold lifted",
  "hold.expire": "legal hold ended",
  "customer.changed": "customer changed",
};

/** Labels of events for which the journal stores the service or the document. */
const EVENTS_ABOUT: Readonly<Record<string, (about: string) => string>> = {
  "participant.asked_again": (service) => `asked ${service} again`,
  "participant.overdue": (service) => `no answer in time from ${service}`,
  "participant.confirm": (service) => `confirmed by ${service}`,
  "source.received": (service) => `received data from ${service}`,
  "source.failed": (service) => `call to ${service} failed`,
  retry: (service) => `retried ${service}`,
  waive: (service) => `waived ${service}`,
  confirm: (service) => `confirmed the waiver of ${service}`,
  reject: (service) => `rejected the waiver of ${service}`,
  withdraw: (service) => `withdrew the waiver of ${service}`,
  "export.downloaded": (document) => `downloaded ${document}`,
};

const DELAYS: Readonly<Record<string, string>> = {
  UNTIL_START: "at the scheduled time",
  UNTIL_FETCH_WAIT_ENDS: "at the end of the wait",
  UNTIL_INFORMATION_EXPIRES: "after 30 days",
  UNTIL_EXPIRY: "when the documents expire",
};

/** Meanings of the failures of calls to participants. */
const FAILURES: Readonly<Record<string, string>> = {
  NOT_CONFIGURED: "its URL is not configured",
  UNREACHABLE: "it cannot be reached",
  TIMEOUT: "it has not answered in time",
  REFUSED: "it has refused the call",
  INVALID_DATA: "its answer is invalid, or about another customer or store",
  TOO_MUCH_DATA: "its answer exceeds a limit",
};

/** States that require a manual check. */
const ALARMING = new Set(["overdue", "residue_found"]);

/** Meaning of a participant's last error; undefined for an unknown code. */
export function failureLabel(code: string): string | undefined {
  return Object.hasOwn(FAILURES, code) ? FAILURES[code] : undefined;
}

export function stateLabel(key: string): string {
  return Object.hasOwn(STATES, key) ? STATES[key]! : plain(key);
}

/**
 * Label of an event.
 *
 * @param type event name in the journal, or XState's event type if it has no public name
 * @param about service of the event; null: not stored
 */
export function eventLabel(type: string, about: string | null = null): string {
  if (about !== null) {
    const words = Object.hasOwn(EVENTS_ABOUT, type) ? EVENTS_ABOUT[type] : undefined;
    return words?.(about) ?? `${eventLabel(type)}: ${about}`;
  }
  if (Object.hasOwn(EVENTS, type)) return EVENTS[type]!;
  const [, kind, rest = ""] = /^xstate\.(after|done\.state|done\.actor|error\.actor)\.(.*)$/.exec(type) ?? [];
  if (kind === "after") return delayLabel(rest.slice(0, rest.indexOf(".")));
  if (kind === "done.state") return "when done";
  if (kind) return `${rest.slice(rest.indexOf(".") + 1)} ${kind === "done.actor" ? "is done" : "fails"}`;
  return plain(type);
}

/** @param delay milliseconds, or the name of a delay */
export function delayLabel(delay: string | number): string {
  const ms = Number(delay);
  if (Number.isFinite(ms) && delay !== "") return `after ${exactDuration(ms)}`;
  return Object.hasOwn(DELAYS, delay) ? DELAYS[delay]! : `after ${plain(String(delay))}`;
}

/** Duration in the largest unit that divides it: "7 days", "90 minutes", "250 milliseconds". */
function exactDuration(ms: number): string {
  const units = [["day", 86_400_000], ["hour", 3_600_000], ["minute", 60_000], ["second", 1_000]] as const;
  const [unit, length] = units.find(([, length]) => ms > 0 && ms % length === 0) ?? ["millisecond", 1];
  const count = ms / length;
  return `${count} ${unit}${count === 1 ? "" : "s"}`;
}

/** Names of fields as a list: "first name, phone". */
export function fieldLabels(fields: readonly string[]): string {
  return fields.map((field) => field.replaceAll(/[A-Z]/g, " $&").replaceAll("_", " ").toLowerCase()).join(
    ", ",
  );
}

export function isAlarming(key: string): boolean {
  return ALARMING.has(key);
}

/** Splits SCREAMING_SNAKE_CASE, snake_case and dotted names into words. Hyphens stay: they are part of service names. */
function plain(name: string): string {
  const words = name.replaceAll(/[_.]+/g, " ").trim();
  return /[a-z]/.test(words) ? words : words.toLowerCase();
}

/** Capitalizes a label; the name of a service keeps its spelling. */
export function capitalize(words: string): string {
  return words.includes("-") && !/\s/.test(words) ? words : words.charAt(0).toUpperCase() + words.slice(1);
}
