/** Which price list holds for a customer, and why: the same answer for every edge. */
import type { Membership } from "../db/lookups.ts";

/** What decided between the groups. */
export type PriceListReason =
  | "NO_GROUP"
  | "ONLY_GROUP"
  | "HIGHEST_PRIORITY"
  | "EARLIEST_ASSIGNED"
  | "LOWEST_GROUP_ID";

export interface PriceListDecision {
  /** Undefined when the customer is in no group: the store's own prices hold. */
  priceListId: string | undefined;
  reason: PriceListReason;
}

/** @param memberships in resolution order (priority falling, then assigned_at, then group id), as the lookups give them */
export function decidePriceList(memberships: readonly Membership[]): PriceListDecision {
  const [winner, second] = memberships;
  return { priceListId: winner?.priceListId, reason: reasonFor(winner, second) };
}

function reasonFor(winner: Membership | undefined, second: Membership | undefined): PriceListReason {
  if (!winner) return "NO_GROUP";
  if (!second) return "ONLY_GROUP";
  if (winner.priority !== second.priority) return "HIGHEST_PRIORITY";
  return winner.assignedAt !== second.assignedAt ? "EARLIEST_ASSIGNED" : "LOWEST_GROUP_ID";
}
