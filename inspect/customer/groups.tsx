/** The groups of a customer, and which price list follows from them and why. */
import { decidePriceList, type PriceListReason } from "../../actors/customers/price_list.ts";
import type { Membership } from "../../db/lookups.ts";
import { Instant } from "../page.tsx";

export function Groups({ groups, anonymized }: { groups: readonly Membership[]; anonymized: boolean }) {
  if (anonymized) {
    return <p class="empty">The erasure has ended all memberships; no price list is decided.</p>;
  }
  const { priceListId, reason } = decidePriceList(groups);
  return (
    <>
      <p>
        {REASONS[reason](groups)}
        {priceListId !== undefined && (
          <>
            {" "}Price list <code>{priceListId}</code> holds.
          </>
        )}
      </p>
      {groups.length > 0 && (
        <div class="scroll" role="region" aria-label="Groups" tabindex={0}>
          <table class="stacked">
            <caption>Groups in the order in which they decide</caption>
            <thead>
              <tr>
                <th scope="col">Group</th>
                <th scope="col">Priority</th>
                <th scope="col">Member since</th>
                <th scope="col">Price list</th>
                <th scope="col">Id</th>
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
                  <td data-name="Id">
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

/** The first of the groups decides, and the second one is what it is compared with. */
const REASONS: Record<PriceListReason, (groups: readonly Membership[]) => string> = {
  NO_GROUP: () => "The customer is in no group, so the store's own prices hold.",
  ONLY_GROUP: ([first]) => `${first?.name} decides: it is the only group.`,
  HIGHEST_PRIORITY: ([first, second]) =>
    `${first?.name} decides: its priority ${first?.priority} is the highest, before the ${second?.priority} of ${second?.name}.`,
  EARLIEST_ASSIGNED: ([first, second]) =>
    `${first?.name} decides: it has the same priority as ${second?.name}, and the customer has been in it for longer.`,
  LOWEST_GROUP_ID: ([first, second]) =>
    `${first?.name} decides: it has the same priority as ${second?.name}, since the same instant, and the lower id.`,
};
