/** Date arithmetic. */

/** @param ms may be negative */
export function addMilliseconds(date: Date, ms: number): Date {
  return new Date(date.getTime() + ms);
}
