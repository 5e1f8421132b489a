/** The statutory clock (GDPR, Article 12(3)): calendar months from receipt, in UTC. */

/** An answer is due one calendar month after receipt; where that month has no such day, on its last. */
export function dueDate(receivedAt: Date): Date {
  return monthsLater(receivedAt, 1);
}

/** Extended once, it is due three months after receipt. */
export function extendedDueDate(receivedAt: Date): Date {
  return monthsLater(receivedAt, 3);
}

function monthsLater(instant: Date, months: number): Date {
  const start = Temporal.Instant.fromEpochMilliseconds(instant.getTime()).toZonedDateTimeISO("UTC");
  return new Date(start.add({ months }, { overflow: "constrain" }).epochMilliseconds);
}
