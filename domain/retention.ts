/**
 * Retention periods: of closed accounts, with the times at which their erasure is announced and starts, and of records
 * about requests, customers and legal holds.
 */
import type { StoreSettings } from "./store_settings.ts";

const DAY_MS = 24 * 60 * 60_000;

/** Periods of records, in days. */
export interface RecordPeriods {
  /** After the completion of a request: its row, participants, notices and journal. */
  requests: number;
  /** After an event in the journal of a customer. */
  journal: number;
  /** After the end of a legal hold. */
  holds: number;
}

/**
 * Three years, of which one is a leap year: the usual period in which claims and complaints about a request can be raised,
 * such as in section 195 of the German Civil Code.
 */
const DEFAULT_DAYS = 1_096;
export const DEFAULT_PERIODS: RecordPeriods = {
  requests: DEFAULT_DAYS,
  journal: DEFAULT_DAYS,
  holds: DEFAULT_DAYS,
};

export function recordPeriods(
  settings: Pick<StoreSettings, "requestRetentionDays" | "journalRetentionDays" | "holdRetentionDays">,
): RecordPeriods {
  return {
    requests: settings.requestRetentionDays ?? DEFAULT_PERIODS.requests,
    journal: settings.journalRetentionDays ?? DEFAULT_PERIODS.journal,
    holds: settings.holdRetentionDays ?? DEFAULT_PERIODS.holds,
  };
}

/** Time between the announcement of an erasure and its start, in days; shorter where the retention period is. */
const NOTICE_DAYS = 14;

/** Time between the announcement and the erasure, in milliseconds. */
export function noticeMs(retentionDays: number): number {
  return Math.min(NOTICE_DAYS, retentionDays) * DAY_MS;
}

/** End of the retention period of an account. */
export function retentionEnd(closedAt: Date, retentionDays: number): Date {
  return new Date(closedAt.getTime() + retentionDays * DAY_MS);
}

/** Start of an erasure that is announced now: the end of the retention period, and not before the end of the notice. */
export function erasureStart(closedAt: Date, retentionDays: number, now: Date): Date {
  const earliest = now.getTime() + noticeMs(retentionDays);
  return new Date(Math.max(retentionEnd(closedAt, retentionDays).getTime(), earliest));
}

/** Accounts that were closed until then are announced now. */
export function announcedIfClosedBefore(retentionDays: number, now: Date): Date {
  return new Date(now.getTime() - retentionDays * DAY_MS + noticeMs(retentionDays));
}
