/** Purpose of a command in words, for the messages that refuse it. */
import type { AnyBehavior } from "./behavior.ts";

/**
 * Returns what a command does: "change the profile of customer 0190…", or "register a customer" without an ID.
 *
 * @throws {Error} the behavior has no words for the command
 */
export function purposeOf({ noun, purposes }: AnyBehavior, type: string, id?: string): string {
  const purpose = Object.hasOwn(purposes, type) ? purposes[type] : undefined;
  if (purpose === undefined) throw new Error(`No words for the command ${type} of ${noun}`);
  return id === undefined ? `${purpose} a ${noun}` : `${purpose} ${noun} ${id}`;
}
