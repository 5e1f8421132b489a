/** Groups of a customer, and the resulting price list with the reason. */
import { decidePriceList, type PriceListReason } from "../../actors/customers/price_list.ts";
import type { Membership } from "../../db/lookups.ts";
import { Instant } from "../page.tsx";

export function Groups({ groups, anonymized }: { groups: readonly Membership[]; anonymized: boolean }) {
  if (anonymized) {
    return <p class="empty">The erasure ended all memberships, so no price list applies.</p>;
  }
  const { priceListId, reason } = decidePriceList(groups);
  return (
    <>
      <p>
        {REASONS[reason](groups)}
        {priceListId !== undefined && (
          <>
            {" "}Price list <code>{priceListId}</code> applies.
          </>
        )}
      </p>
      {groups.length > 0 && (
        <div class="scroll" role="region" aria-label="Groups" tabindex={0}>
          <table class="stacked">
            <caption>Groups in resolution order</caption>
            <thead>
              <tr>
                <th scope="col">Group</th>
                <th scope="col">Priority</th>
                <th scope="col">Member since</th>
                <th scope="col">Price list</th>
                <th scope="col">ID</th>
              </tr>
            </thead>
            <tbody>
              {groups.map(({ groupId, name, priority, assignedAt, priceListId }) => (
                <tr>
                  <th scope="row">{name}</th>
                  <td data-name="Priority">{priority}</td>
                  <td data-name="Member since">
                    <Instant at={new Date(assignedAt)} />
                  </td>
                  <td data-name="Price list">
                    <code>{priceListId}</code>
                  </td>
                  <td data-name="ID">
                    <code>{groupId}</code>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </>
  );
}

/** Reason for the price list: the first group decides, compared with the second one. */
const REASONS: Record<PriceListReason, (groups: readonly Membership[]) => string> = {
  NO_GROUP: () => "The customer is in no group, so the store's own prices apply.",
  ONLY_GROUP: ([first]) => `${first?.name} decides: it is the only group.`,
  HIGHEST_PRIORITY: ([first, second]) =>
    `${first?.name} decides: its priority ${first?.priority} is the highest; the next is ${second?.name} with ${second?.priority}.`,
  EARLIEST_ASSIGNED: ([first, second]) =>
    `${first?.name} decides: it has the same priority as ${second?.name}, and the customer joined it earlier.`,
  LOWEST_GROUP_ID: ([first, second]) =>
    `${first?.name} decides: it has the same priority as ${second?.name}, was assigned at the same instant, and it has the lower ID.`,
};
