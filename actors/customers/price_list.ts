/** Price list of a customer and the reason for it: the same answer for every edge. */
import type { CustomerStatus, GroupsKey, Lookups, Membership, Wanted } from "../../db/lookups.ts";
import { DomainError } from "../../domain/errors.ts";

/** Rule that decided between the groups. */
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

/**
 * The decision for a customer, the memberships that it rests on, in resolution order, and the customer's status, which does
 * not change the price list.
 *
 * @param wanted whether the caller still waits for it
 * @throws {DomainError} NOT_FOUND; REFUSED_IN_STATE once the customer is anonymized
 */
export async function findPriceList(
  lookups: Pick<Lookups, "findCustomerGroups">,
  key: GroupsKey,
  wanted?: Wanted,
): Promise<PriceListDecision & { memberships: Membership[]; status: CustomerStatus }> {
  const { storeId, customerId } = key;
  const customer = await lookups.findCustomerGroups(key, wanted);
  if (!customer) {
    throw new DomainError(
      "NOT_FOUND",
      `Cannot find customer ${customerId}: store ${storeId} has none of this id`,
    );
  }
  const { anonymized, memberships, status } = customer;
  if (anonymized) {
    throw new DomainError("REFUSED_IN_STATE", `Cannot look up customer ${customerId}: it has been erased`);
  }
  return { ...decidePriceList(memberships), memberships, status };
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
