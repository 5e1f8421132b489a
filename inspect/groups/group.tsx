/** `/inspect/groups/{groupId}`: a group with its price list and its members. */
import type { Hono } from "@hono/hono";
import { z } from "zod";
import { DomainError } from "../../domain/errors.ts";
import { parseInput, uuid } from "../../domain/input.ts";
import { changeGroups, readGroups } from "../access.ts";
import { recordAccess } from "../accesses.ts";
import type { Pages } from "../options.ts";
import { findOwnChange } from "../own_change.ts";
import { search } from "../search/customers.ts";
import { type InspectContext, type InspectEnv, inStore } from "../session.ts";
import { GROUP_TEXTS } from "./change_texts.ts";
import { GroupPage, type GroupView } from "./page.tsx";
import { fingerprintOf, readGroup } from "./read.ts";
import { submitGroup } from "./submit.ts";

const PATH = "/groups/:groupId";
const MEMBERS = 50;
const Query = z.object({
  after: uuid.optional(),
  changed: z.coerce.number().int().min(0).optional().catch(undefined),
});

export function addGroupPage(app: Hono<InspectEnv>, pages: Pages): void {
  const { reader, actors, live } = pages;

  app.get(PATH, readGroups, async (c) => {
    const { after, changed } = parseInput(Query, c.req.query(), "show the group");
    const groupId = idOf(c);
    const key = { storeId: c.var.by.storeId, actorKind: "shopper_group", actorId: groupId };
    const attempt = await findOwnChange(c, reader, key, { sequence: changed, texts: GROUP_TEXTS });
    return c.html(await renderGroup(c, pages, { groupId, after, attempt }));
  });

  app.post(PATH, changeGroups, async (c) => {
    const groupId = idOf(c);
    const submitted = await submitGroup(c, actors, groupId);
    if ("groupId" in submitted) {
      return c.redirect(inStore(c, `/inspect/groups/${groupId}?changed=${submitted.version}`), 303);
    }
    const { attempt, status } = submitted;
    return c.html(await renderGroup(c, pages, { groupId, attempt }), status);
  });

  app.get(`${PATH}/live`, readGroups, async (c) => {
    const groupId = idOf(c);
    const { storeId } = c.var.by;
    const read = () => reader.read(storeId, (sql) => readGroup(sql, storeId, groupId));
    if (!await read()) throw notFound(groupId);
    return live.follow(c, async () => fingerprintOf(await read()));
  });
}

/** Records the access to the members and renders the page. */
async function renderGroup(c: InspectContext, { reader, audit }: Pages, view: GroupView) {
  const { storeId } = c.var.by;
  const { groupId, after } = view;
  const [reading, rows] = await Promise.all([
    reader.read(storeId, (sql) => readGroup(sql, storeId, groupId)),
    search(reader, storeId, { groupId }, { limit: MEMBERS + 1, after }),
  ]);
  if (!reading) throw notFound(groupId);
  const members = rows.slice(0, MEMBERS);
  await recordAccess(c, audit, {
    action: "CUSTOMERS_LISTED",
    operation: "inspectGroup",
    target: { type: "shopper_group", id: groupId },
    customerIds: members.map(({ customerId }) => customerId),
    rows: members.length,
  });
  const next = rows.length > MEMBERS ? members.at(-1)?.customerId : undefined;
  return <GroupPage {...{ c, view, reading, members, next }} />;
}

function idOf(c: InspectContext): string {
  const { success, data } = uuid.safeParse(c.req.param("groupId"));
  if (!success) throw new DomainError("NOT_FOUND", "Cannot find the group: the ID is not a UUID");
  return data;
}

function notFound(groupId: string): DomainError {
  return new DomainError("NOT_FOUND", `Cannot find group ${groupId}`);
}
