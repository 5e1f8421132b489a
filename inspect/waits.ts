/** Text about participants that have not answered: since when, why, and whether they are asked again. */
import type { ParticipantWait } from "../db/participant_waits.ts";
import { formatCount } from "./durations.ts";
import { failureLabel } from "./labels.ts";

/** Facts about the calls to a participant that has not answered. */
export type Calls = Pick<ParticipantWait, "state" | "failure" | "nextAttemptAt" | "since" | "failedAt">;

/** Text with instants, which are shown in the viewer's time zone, and with quoted reasons. */
export type Words = readonly (string | Date | { quote: string })[];

/** Code of a participant that was never called, because its URL is not configured. */
export const NOT_CONFIGURED = "NOT_CONFIGURED";

/**
 * "payment-service has not answered since …: it cannot be reached (8 attempts, the last on …); it is not asked again
 * automatically". A participant without a URL is never said to have been asked.
 *
 * @param attempts 0: unknown
 */
export function describeWait(service: string, attempts: number, calls: Calls): Words {
  const { state, failure, since, failedAt, nextAttemptAt } = calls;
  const isCalled = failure !== NOT_CONFIGURED;
  const last = failedAt && isGivenUp(calls) ? [", the last on ", failedAt] : [];
  const times = attempts === 0 || !isCalled ? [] : [` (${formatCount(attempts, "attempt")}`, ...last, ")"];
  const reason = failure === null ? [] : [`: ${failureLabel(failure) ?? `the call failed with ${failure}`}`];
  const [verb, again] = isCalled ? ["has not answered", "asked"] : ["could not be asked", "tried"];
  const next = nextAttemptAt
    ? [`; it is ${again} again automatically on `, nextAttemptAt]
    : state === "OVERDUE"
    ? [`; it is not ${again} again automatically`]
    : failure !== null
    ? [`; it is being ${again} now`]
    : [];
  return [`${service} ${verb}`, ...(since ? [" since ", since] : []), ...reason, ...times, ...next];
}

/** Whether the participant is not asked again automatically. */
export const isGivenUp = ({ state, nextAttemptAt }: Pick<Calls, "state" | "nextAttemptAt">) =>
  state === "OVERDUE" && nextAttemptAt === null;

/** "since …: it cannot be reached, not asked again": for lists. */
export function describeWaitShortly(calls: Calls): Words {
  const { state, failure, since } = calls;
  const reason = failure === null ? [] : [failureLabel(failure) ?? `the call failed with ${failure}`];
  const isLate = state === "OVERDUE" && failure === null ? ["overdue"] : [];
  const again = isGivenUp(calls) ? [failure === NOT_CONFIGURED ? "not asked" : "not asked again"] : [];
  const facts = [...isLate, ...reason, ...again].join(", ");
  const start: Words = since ? ["since ", since] : [];
  return facts === "" ? start : [...start, since ? `: ${facts}` : facts];
}
