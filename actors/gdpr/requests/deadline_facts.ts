/** Facts of events that move the due date, and of the check of the identity. */
import type { Tx } from "../../../db/connect.ts";
import type { GdprRequestRow } from "../../../db/gdpr_requests.ts";
import { settingsOf } from "../../../db/store_settings.ts";
import { DomainError } from "../../../domain/errors.ts";
import { calendarOf, daysOfPause, dueDate, startOfDay } from "./clock.ts";
import type { RequestSnapshot } from "./snapshot.ts";
import { lockSubject } from "./subject.ts";

/** A locked request. */
export interface LockedRequest {
  tx: Tx;
  storeId: string;
  requestId: string;
  row: GdprRequestRow;
}

/** Event with which a pause ends. */
export interface PauseEnd {
  type: string;
  /** A date in the time zone of the store, or an instant; absent: now. */
  receivedAt?: string;
}

const contextOf = ({ snapshot }: GdprRequestRow) => (snapshot as RequestSnapshot).context;

/** Due date after an extension. */
export async function extendedDueDate(
  { tx, storeId, row }: LockedRequest,
): Promise<Date> {
  const calendar = calendarOf(await settingsOf(tx, storeId));
  return dueDate(row.receivedAt, calendar, { months: 3, pausedDays: contextOf(row).pausedDays ?? 0 });
}

/**
 * Due date after a pause, and the number of days on which the clock was paused.
 *
 * @throws {DomainError} INVALID_INPUT: the information was received before it was requested, or in the future
 */
export async function endPause(
  { tx, storeId, requestId, row, now }: LockedRequest & { now: Date },
  { receivedAt }: PauseEnd,
): Promise<{ dueAt: number; pausedDays: number }> {
  const calendar = calendarOf(await settingsOf(tx, storeId));
  const { pausedDays: before = 0, extended } = contextOf(row);
  const pausedAt = row.informationRequestedAt ?? now;
  const at = receivedAt === undefined
    ? now
    : receivedAt.includes("T")
    ? new Date(receivedAt)
    : startOfDay(receivedAt, calendar);
  const days = daysOfPause(pausedAt, at, calendar);
  if (at > now || days < 0) {
    const message =
      `must be a time from ${pausedAt.toISOString()}, when the information was requested, until now`;
    throw new DomainError(
      "INVALID_INPUT",
      `Cannot record the information for GDPR request ${requestId}: receivedAt ${message}`,
      { fields: [{ field: "receivedAt", message }] },
    );
  }
  const pausedDays = before + days;
  const due = dueDate(row.receivedAt, calendar, { months: extended ? 3 : 1, pausedDays });
  return { dueAt: due.getTime(), pausedDays };
}

/**
 * Refuses to identify the person of a request whose subject has been erased. The lock orders the check before an erasure
 * that starts now, which then sees the request as identified, or after it.
 *
 * @throws {DomainError} REFUSED_IN_STATE
 */
export async function refuseErasedSubject(
  { tx, storeId, requestId, row }: LockedRequest,
): Promise<void> {
  const subject = await lockSubject(tx, { storeId, customerId: row.customerId });
  if (!subject?.anonymizedAt) return;
  throw new DomainError(
    "REFUSED_IN_STATE",
    `Cannot verify the identity for GDPR request ${requestId}: the person has been erased`,
  );
}
