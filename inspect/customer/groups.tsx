/** Groups of a customer, the resulting price list with the reason, and forms that assign and remove groups. */
import { decidePriceList, type PriceListReason } from "../../actors/customers/price_list.ts";
import type { Membership } from "../../db/lookups.ts";
import { hasStaffRight } from "../../domain/staff_rights.ts";
import { ActionForm, formId, HiddenFields, refusedBy } from "../fields.tsx";
import { Instant } from "../page.tsx";
import { inStore } from "../session.ts";
import { CHANGE_TEXTS } from "./change_texts.ts";
import type { SectionProps } from "./profile.tsx";

export function Groups(props: SectionProps) {
  const { c, reading: { groups, facts, commands } } = props;
  if (facts.anonymizedAt) {
    return <p class="empty">The erasure ended all memberships, so no price list applies.</p>;
  }
  const mayOpenGroups = hasStaffRight("READ_GROUPS", c.var.by);
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
                {commands.has("group.remove") && <th scope="col">Change</th>}
              </tr>
            </thead>
            <tbody>
              {groups.map(({ groupId, name, priority, assignedAt, priceListId }) => (
                <tr>
                  <th scope="row">
                    {mayOpenGroups ? <a href={inStore(c, `/inspect/groups/${groupId}`)}>{name}</a> : name}
                  </th>
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
                  {commands.has("group.remove") && (
                    <td data-name="Change">
                      <RemoveButton {...props} groupId={groupId} name={name} />
                    </td>
                  )}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {commands.has("group.assign") && <AssignForm {...props} />}
    </>
  );
}

function RemoveButton(
  { c, path, reading, groupId, name }: SectionProps & { groupId: string; name: string },
) {
  return (
    <form method="post" action={path}>
      <HiddenFields
        c={c}
        action="group.remove"
        target={groupId}
        version={reading.facts.membershipVersion}
      />
      <button type="submit" class="quiet" aria-label={`Remove from the group ${name}`}>Remove</button>
    </form>
  );
}

function AssignForm({ c, path, reading, attempt }: SectionProps) {
  const { assignable, facts } = reading;
  if (assignable.length === 0) return <p class="empty">The store has no other group to assign.</p>;
  const action = "group.assign";
  const refused = refusedBy(attempt, action);
  const id = `${formId(action)}-group`;
  return (
    <div class="actions">
      <ActionForm
        c={c}
        path={path}
        action={action}
        version={facts.membershipVersion}
        title={CHANGE_TEXTS[action].title}
        refused={refused}
      >
        <div class="field">
          <label for={id}>Group</label>
          <select id={id} name="groupId" required>
            <option value="">Choose a group</option>
            {assignable.map(({ groupId, name, priority }) => (
              <option value={groupId} selected={refused?.values.groupId === groupId}>
                {name} (priority {priority})
              </option>
            ))}
          </select>
        </div>
      </ActionForm>
    </div>
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
