/**
 * The statutory clock (Article 12(3) GDPR): calendar months from receipt, in the time zone of the store. As Regulation
 * (EEC, Euratom) No 1182/71 says, a period ends with the last hour of the day that has the date of the receipt, or of the
 * last day of a month that has no such day; if that is a Saturday, a Sunday or a public holiday, with the last hour of the
 * next working day.
 */
import type { StoreSettings } from "../../../domain/store_settings.ts";

/** Days on which a store works, and where. */
export interface WorkCalendar {
  /** Time zone of the IANA database. */
  timeZone: string;
  /** Public holidays, as dates of ISO 8601. */
  holidays: readonly string[];
}

/** Length of a period. */
export interface Period {
  /** 1, or 3 after an extension. */
  months: 1 | 3;
  /** Number of days on which the clock was paused. */
  pausedDays?: number;
}

/** Returns the calendar of a store; without settings in UTC and without public holidays. */
export function calendarOf(
  { timeZone, holidays }: Pick<StoreSettings, "timeZone" | "holidays">,
): WorkCalendar {
  return { timeZone: timeZone ?? "UTC", holidays: holidays ?? [] };
}

/** Due date: the last millisecond of the last day of the period. */
export function dueDate(
  receivedAt: Date,
  { timeZone, holidays }: WorkCalendar,
  { months, pausedDays = 0 }: Period,
): Date {
  let last = localDate(receivedAt, timeZone).add({ months }, { overflow: "constrain" }).add({
    days: pausedDays,
  });
  while (last.dayOfWeek > FRIDAY || holidays.includes(last.toString())) last = last.add({ days: 1 });
  return new Date(last.add({ days: 1 }).toZonedDateTime(timeZone).epochMilliseconds - 1);
}

const FRIDAY = 5;

/** Number of days of a pause: none if it ends on the day on which it starts. */
export function daysOfPause(from: Date, to: Date, { timeZone }: WorkCalendar): number {
  return localDate(from, timeZone).until(localDate(to, timeZone)).days;
}

/** First instant of a date in the time zone. */
export function startOfDay(date: string, { timeZone }: WorkCalendar): Date {
  return new Date(Temporal.PlainDate.from(date).toZonedDateTime(timeZone).epochMilliseconds);
}

function localDate(instant: Date, timeZone: string): Temporal.PlainDate {
  return Temporal.Instant.fromEpochMilliseconds(instant.getTime()).toZonedDateTimeISO(timeZone).toPlainDate();
}
