/** Memberships of a customer in shopper groups. */
import { DomainError } from "../../domain/errors.ts";
import { uuid } from "../../domain/input.ts";
import { allow } from "../access.ts";
import { type Api, createRoute, json, refusals, z } from "../api.ts";
import { setAnswered } from "../changes.ts";
import { changeHeaders, commandContext, etag } from "../conditional_headers.ts";
import type { RestOptions } from "../options.ts";
import { bodyOf, MembershipSchema } from "./membership.ts";
import { customerPath, findCustomer } from "./profile.ts";

const tags = ["Memberships"];
const membershipPath = customerPath.extend({ groupId: uuid });

/** Response headers of routes about memberships. */
const membershipsVersioned = {
  headers: z.object({
    etag: z.string().meta({
      description:
        "The version of the memberships, which If-Match is compared with. It counts assignments and removals, which " +
        "the version of the customer does not count.",
      example: '"7"',
    }),
  }),
};

const listCustomerGroups = createRoute({
  operationId: "listCustomerGroups",
  method: "get",
  path: "/customers/{customerId}/groups",
  summary: "Lists the groups of a customer in resolution order: the first one decides the price list",
  tags,
  middleware: allow("listCustomerGroups"),
  request: { params: customerPath },
  responses: {
    200: {
      ...json(
        "By priority, the highest first; then the earliest assigned; then the lowest ID",
        z.object({ items: z.array(MembershipSchema) }),
      ),
      ...membershipsVersioned,
    },
    ...refusals("NOT_FOUND"),
  },
});

const assignGroup = createRoute({
  operationId: "assignGroup",
  method: "put",
  path: "/customers/{customerId}/groups/{groupId}",
  summary: "Assigns a group to a customer; a customer is in at most 50 groups",
  description:
    "Repeated under its Idempotency-Key after the membership has ended, it is NOT_FOUND and changes nothing.",
  tags,
  middleware: allow("assignGroup"),
  request: { params: membershipPath, headers: changeHeaders },
  responses: {
    200: { ...json("The customer was already in the group", MembershipSchema), ...membershipsVersioned },
    201: { ...json("The new membership", MembershipSchema), ...membershipsVersioned },
    ...refusals("NOT_FOUND", "REFUSED_IN_STATE", "CONFLICT"),
  },
});

const removeGroup = createRoute({
  operationId: "removeGroup",
  method: "delete",
  path: "/customers/{customerId}/groups/{groupId}",
  summary: "Removes a customer from a group",
  description: "NOT_FOUND if the customer is not in the group, also at a second DELETE.",
  tags,
  middleware: allow("removeGroup"),
  request: { params: membershipPath, headers: changeHeaders },
  responses: {
    204: { description: "The customer is no longer in the group", ...membershipsVersioned },
    ...refusals("NOT_FOUND", "REFUSED_IN_STATE", "CONFLICT"),
  },
});

export function addMembershipRoutes(api: Api, { actors, lookups }: RestOptions): void {
  api.openapi(listCustomerGroups, async (c) => {
    const { customerId } = c.req.valid("param");
    const { membershipVersion: version, groups } = await findCustomer(c, lookups, customerId);
    c.set("answered", { rows: groups.length });
    return c.json({ items: groups.map(bodyOf) }, 200, { etag: etag(version) });
  });

  api.openapi(assignGroup, async (c) => {
    const { customerId, groupId } = c.req.valid("param");
    const context = commandContext(c);
    const ref = { kind: "customer", storeId: context.by.storeId, id: customerId } as const;
    const { answer, actor } = await actors.sendAndRead(ref, { type: "group.assign", groupId }, context);
    const { changed, version } = answer;
    setAnswered(c, answer, context);
    const { groups } = actor ?? await findCustomer(c, lookups, customerId);
    const membership = groups.find((membership) => membership.groupId === groupId);
    if (!membership) {
      const what = `customer ${customerId} in shopper group ${groupId}`;
      throw new DomainError("NOT_FOUND", `Cannot find ${what}: the membership has ended meanwhile`);
    }
    return c.json(bodyOf(membership), changed ? 201 : 200, { etag: etag(version) });
  });

  api.openapi(removeGroup, async (c) => {
    const { customerId, groupId } = c.req.valid("param");
    const context = commandContext(c);
    const ref = { kind: "customer", storeId: context.by.storeId, id: customerId } as const;
    const { changed, version } = await actors.send(ref, { type: "group.remove", groupId }, context);
    if (!changed) {
      throw new DomainError("NOT_FOUND", `Cannot find customer ${customerId} in shopper group ${groupId}`);
    }
    return c.body(null, 204, { etag: etag(version) });
  });
}
