/** Durations and due dates as text. */

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Duration in its largest unit, rounded down: "3 days", "5 hours", "1 minute", "less than a minute". */
export function formatDuration(ms: number): string {
  const length = Math.abs(ms);
  if (length >= DAY_MS) return formatCount(Math.floor(length / DAY_MS), "day");
  if (length >= HOUR_MS) return formatCount(Math.floor(length / HOUR_MS), "hour");
  if (length >= MINUTE_MS) return formatCount(Math.floor(length / MINUTE_MS), "minute");
  return "less than a minute";
}

/** Count with its unit: "1 day", "2 days". */
export function formatCount(count: number, unit: string): string {
  return `${count} ${unit}${count === 1 ? "" : "s"}`;
}

/** Distance to a due date: "due in 12 days", "3 days past the legal due date". */
export function formatDueDate(dueAt: Date, now: Date): string {
  const remainingMs = dueAt.getTime() - now.getTime();
  return remainingMs < 0
    ? `${formatDuration(remainingMs)} past the legal due date`
    : `due in ${formatDuration(remainingMs)}`;
}
