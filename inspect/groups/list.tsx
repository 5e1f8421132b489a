/** `/inspect/groups`: the groups of a store with price list, priority and number of members. */
import type { Hono } from "@hono/hono";
import { availableGroupCommands } from "../../actors/customers/available_group_commands.ts";
import { countMembers, searchShopperGroups, type ShopperGroup } from "../../db/shopper_groups.ts";
import type { ReadSql } from "../../db/store_reader.ts";
import { changeGroups, readGroups } from "../access.ts";
import { AttemptMessage, type FormAttempt } from "../fields.tsx";
import type { Pages } from "../options.ts";
import { Page } from "../page.tsx";
import { type InspectContext, type InspectEnv, inStore } from "../session.ts";
import { GroupForm } from "./form.tsx";
import { membersText } from "./members_text.ts";
import { type GroupsQuery, readGroupsQuery, toGroupsSearch } from "./query.ts";
import { submitGroup } from "./submit.ts";

const PATH = "/groups";
const PAGE = 50;

export function addGroupList(app: Hono<InspectEnv>, { reader, actors, live }: Pages): void {
  async function render(c: InspectContext, query: GroupsQuery, attempt?: FormAttempt) {
    const { storeId } = c.var.by;
    const reading = await reader.read(storeId, (sql) => readList(sql, storeId, query));
    return <GroupsPage c={c} query={query} reading={reading} attempt={attempt} />;
  }

  app.get(PATH, readGroups, async (c) => c.html(await render(c, readGroupsQuery(c))));

  app.post(PATH, changeGroups, async (c) => {
    const submitted = await submitGroup(c, actors);
    if ("groupId" in submitted) {
      const { groupId, version } = submitted;
      return c.redirect(inStore(c, `/inspect/groups/${groupId}?changed=${version}`), 303);
    }
    return c.html(await render(c, readGroupsQuery(c), submitted.attempt), submitted.status);
  });

  app.get(`${PATH}/live`, readGroups, (c) => {
    const { storeId } = c.var.by;
    const query = readGroupsQuery(c);
    return live.follow(
      c,
      async () => fingerprintOf(await reader.read(storeId, (sql) => readList(sql, storeId, query))),
    );
  });
}

type GroupList = Awaited<ReturnType<typeof readList>>;

async function readList(sql: ReadSql, storeId: string, { deleted, after }: GroupsQuery) {
  const rows = await searchShopperGroups(sql, storeId, { deleted }, { limit: PAGE + 1, after });
  const groups = rows.slice(0, PAGE);
  const members = await countMembers(sql, storeId, groups.map(({ groupId }) => groupId));
  return { groups, members, next: rows.length > PAGE ? groups.at(-1)?.groupId : undefined };
}

function fingerprintOf({ groups, members, next }: GroupList): string {
  return JSON.stringify([
    groups.map(({ groupId, version }) => [groupId, version, members.get(groupId)]),
    next !== undefined,
  ]);
}

function GroupsPage(
  { c, query, reading, attempt }: {
    c: InspectContext;
    query: GroupsQuery;
    reading: GroupList;
    attempt: FormAttempt | undefined;
  },
) {
  const { groups, members, next } = reading;
  const { deleted, after } = query;
  const live = {
    path: inStore(c, `/inspect/groups/live${toGroupsSearch(query)}`),
    fingerprint: fingerprintOf(reading),
  };
  return (
    <Page c={c} title={deleted ? "Deleted groups" : "Groups"} live={live} list="#list">
      <AttemptMessage attempt={attempt} />
      <p>
        A group gives its members a price list. If a customer is in several groups, the one with the highest
        priority decides. {deleted
          ? <a href={inStore(c, "/inspect/groups")}>Show the existing groups</a>
          : <a href={inStore(c, "/inspect/groups?deleted=yes")}>Show deleted groups</a>}
      </p>
      {!deleted && availableGroupCommands(undefined, c.var.by).has("group.create") && (
        <div class="actions account">
          <GroupForm c={c} path={inStore(c, "/inspect/groups")} attempt={attempt} action="group.create" />
        </div>
      )}
      <div data-part="groups" id="list" tabindex={-1}>
        {groups.length === 0
          ? <p class="empty">{after ? "There are no further groups." : "There is no group."}</p>
          : <GroupTable c={c} groups={groups} members={members} />}
        <nav class="pages" aria-label="Pages">
          {after && <a href={inStore(c, `/inspect/groups${toGroupsSearch({ deleted })}`)}>First page</a>}
          {next && (
            <a rel="next" href={inStore(c, `/inspect/groups${toGroupsSearch({ deleted, after: next })}`)}>
              Next page
            </a>
          )}
        </nav>
      </div>
    </Page>
  );
}

function GroupTable(
  { c, groups, members }: {
    c: InspectContext;
    groups: readonly ShopperGroup[];
    members: ReadonlyMap<string, number>;
  },
) {
  return (
    <div class="scroll" role="region" aria-label="Groups" tabindex={0}>
      <table class="requests">
        <caption>Groups, the oldest first</caption>
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col">Priority</th>
            <th scope="col">Members</th>
            <th scope="col">Price list</th>
          </tr>
        </thead>
        <tbody>
          {groups.map(({ groupId, name, priority, priceListId }) => (
            <tr>
              <th scope="row">
                <a class="row-link" href={inStore(c, `/inspect/groups/${groupId}`)}>
                  <bdi>{name}</bdi>
                </a>
              </th>
              <td data-label="Priority">{priority}</td>
              <td data-label="Members">{membersText(members.get(groupId) ?? 0)}</td>
              <td data-label="Price list">
                <code class="long">{priceListId}</code>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
