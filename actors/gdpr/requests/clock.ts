/** The statutory clock (Article 12(3) GDPR): calendar months from receipt, in UTC. */

/** Due date: one calendar month after receipt, or the last day of a month that has no such day. */
export function dueDate(receivedAt: Date): Date {
  return monthsLater(receivedAt, 1);
}

/** Due date after an extension: three calendar months after receipt. */
export function extendedDueDate(receivedAt: Date): Date {
  return monthsLater(receivedAt, 3);
}

function monthsLater(instant: Date, months: number): Date {
  const start = Temporal.Instant.fromEpochMilliseconds(instant.getTime()).toZonedDateTimeISO("UTC");
  return new Date(start.add({ months }, { overflow: "constrain" }).epochMilliseconds);
}
