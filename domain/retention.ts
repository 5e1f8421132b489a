/** Retention period of closed accounts: when an erasure is announced, and when it starts. */

const DAY_MS = 24 * 60 * 60_000;

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
