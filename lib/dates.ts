/** Date arithmetic. */

/** @param ms may be negative */
export function later(date: Date, ms: number): Date {
  return new Date(date.getTime() + ms);
}
