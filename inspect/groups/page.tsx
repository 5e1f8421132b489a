/** Page of a group: price list, priority, forms and members. */
import { availableGroupCommands } from "../../actors/customers/available_group_commands.ts";
import type { FoundCustomer } from "../../db/customer_search.ts";
import type { ShopperGroup } from "../../db/shopper_groups.ts";
import { CustomerTable } from "../customers/table.tsx";
import { ActionForm, AttemptMessage, type FormAttempt, refusedBy } from "../fields.tsx";
import { shortId } from "../overview/labels.ts";
import { Instant, Page } from "../page.tsx";
import { type InspectContext, inStore } from "../session.ts";
import { DELETE_CONFIRM, DELETE_CONSEQUENCE, GROUP_TEXTS } from "./change_texts.ts";
import { GroupForm } from "./form.tsx";
import { membersText } from "./members_text.ts";
import { fingerprintOf, type GroupReading } from "./read.ts";

export interface GroupView {
  groupId: string;
  /** Last member of the previous page. */
  after?: string | undefined;
  attempt: FormAttempt | undefined;
}

export function GroupPage(
  { c, view, reading, members, next }: {
    c: InspectContext;
    view: GroupView;
    reading: GroupReading;
    members: readonly FoundCustomer[];
    next: string | undefined;
  },
) {
  const { attempt, after } = view;
  const { group } = reading;
  const path = `/inspect/groups/${group.groupId}`;
  const live = { path: inStore(c, `${path}/live`), fingerprint: fingerprintOf(reading) };
  return (
    <Page c={c} title={`Group ${shortId(group.groupId)}`} live={live} list="#list">
      <AttemptMessage attempt={attempt} />
      <div data-part="facts">
        <GroupFacts reading={reading} />
      </div>
      <div data-part="actions">
        <GroupActions c={c} path={inStore(c, path)} group={group} attempt={attempt} />
      </div>
      <h2 id="members">Members</h2>
      <div data-part="members" id="list" tabindex={-1}>
        {members.length === 0
          ? <p class="empty">{after ? "There are no further members." : "The group has no members."}</p>
          : <CustomerTable c={c} caption="Customers in this group" customers={members} />}
        <nav class="pages" aria-label="Pages">
          {after && <a href={inStore(c, path)}>First page</a>}
          {next && (
            <a rel="next" href={inStore(c, `${path}?${new URLSearchParams({ after: next })}`)}>Next page</a>
          )}
        </nav>
      </div>
    </Page>
  );
}

function GroupFacts({ reading: { group, memberCount } }: { reading: GroupReading }) {
  const { groupId, name, priceListId, priority, createdAt, updatedAt, deletedAt } = group;
  return (
    <>
      <p class="situation">
        <bdi>{name}</bdi>
        {deletedAt && (
          <>
            , deleted on <Instant at={deletedAt} />
          </>
        )}
      </p>
      <dl class="facts">
        <div>
          <dt>Price list</dt>
          <dd>
            <code>{priceListId}</code>
          </dd>
        </div>
        <div>
          <dt>Priority</dt>
          <dd>{priority}</dd>
        </div>
        <div>
          <dt>Members</dt>
          <dd>{membersText(memberCount)}</dd>
        </div>
        <div>
          <dt>Created</dt>
          <dd>
            <Instant at={createdAt} />
          </dd>
        </div>
        <div>
          <dt>Last changed</dt>
          <dd>
            <Instant at={updatedAt} />
          </dd>
        </div>
        <div>
          <dt>Group</dt>
          <dd>
            <code>{groupId}</code>
          </dd>
        </div>
      </dl>
    </>
  );
}

function GroupActions(
  { c, path, group, attempt }: {
    c: InspectContext;
    path: string;
    group: ShopperGroup;
    attempt: FormAttempt | undefined;
  },
) {
  const commands = availableGroupCommands(group, c.var.by);
  return (
    <div class="actions account">
      {commands.has("group.update") && (
        <GroupForm c={c} path={path} attempt={attempt} action="group.update" group={group} />
      )}
      {commands.has("group.delete") && (
        <ActionForm
          c={c}
          path={path}
          action="group.delete"
          version={group.version}
          title={GROUP_TEXTS["group.delete"].title}
          confirm={DELETE_CONFIRM}
          isFinal
          refused={refusedBy(attempt, "group.delete")}
        >
          <p>{DELETE_CONSEQUENCE}</p>
        </ActionForm>
      )}
    </div>
  );
}
