/** How long something takes or took, as one would say it. */

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** In the largest unit that fits, rounded down: "3 days", "5 hours", "1 minute", "less than a minute". */
export function spanWords(ms: number): string {
  const length = Math.abs(ms);
  if (length >= DAY_MS) return counted(Math.floor(length / DAY_MS), "day");
  if (length >= HOUR_MS) return counted(Math.floor(length / HOUR_MS), "hour");
  if (length >= MINUTE_MS) return counted(Math.floor(length / MINUTE_MS), "minute");
  return "less than a minute";
}

/** "1 day", "2 days". */
export function counted(count: number, unit: string): string {
  return `${count} ${unit}${count === 1 ? "" : "s"}`;
}

/** "due in 12 days", "3 days past the legal due date". */
export function dueWords(dueAt: Date, now: Date): string {
  const left = dueAt.getTime() - now.getTime();
  return left < 0 ? `${spanWords(left)} past the legal due date` : `due in ${spanWords(left)}`;
}
