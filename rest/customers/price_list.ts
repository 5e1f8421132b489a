/** Price list of a customer with its reason: the decision that gRPC returns, with an explanation for people. */
import {
  findPriceList,
  type PriceListDecision,
  type PriceListReason,
} from "../../actors/customers/price_list.ts";
import type { Membership } from "../../db/lookups.ts";
import { allow } from "../access.ts";
import { type Api, createRoute, json, refusals, z } from "../api.ts";
import { isClientWaiting } from "../conditional_headers.ts";
import type { RestOptions } from "../options.ts";
import { bodyOf, MembershipSchema } from "./membership.ts";
import { customerPath } from "./profile.ts";

const REASONS = [
  "NO_GROUP",
  "ONLY_GROUP",
  "HIGHEST_PRIORITY",
  "EARLIEST_ASSIGNED",
  "LOWEST_GROUP_ID",
] as const;

export const PriceListSchema = z.object({
  priceListId: z.uuid().nullable().meta({ description: "Null: the store's own prices apply" }),
  reason: z.enum(REASONS satisfies readonly PriceListReason[]),
  explanation: z.string().meta({
    description: "The reason as a sentence with the names and IDs of the groups",
    example: "Gold (0f5d0c4e-6a0e-4d3a-9d7a-0d3f7b1c2a11) decides: it is the only group of the customer.",
  }),
  memberships: z.array(MembershipSchema).meta({ description: "In resolution order: the first one decides" }),
}).meta({ id: "PriceList" });

const getPriceList = createRoute({
  operationId: "getPriceList",
  method: "get",
  path: "/customers/{customerId}/price-list",
  summary: "Returns the price list that applies to a customer, and the reason",
  tags: ["Memberships"],
  middleware: allow("getPriceList"),
  request: { params: customerPath },
  responses: {
    200: json(
      "The price list that GetCustomerGroups returns over gRPC, with an explanation",
      PriceListSchema,
    ),
    ...refusals("NOT_FOUND", "REFUSED_IN_STATE"),
  },
});

export function addPriceListRoutes(api: Api, { lookups }: RestOptions): void {
  api.openapi(getPriceList, async (c) => {
    const { customerId } = c.req.valid("param");
    const key = { storeId: c.var.by.storeId, customerId };
    const { memberships, ...decision } = await findPriceList(lookups, key, isClientWaiting(c));
    const body = {
      priceListId: decision.priceListId ?? null,
      reason: decision.reason,
      explanation: explain(decision, memberships),
      memberships: memberships.map(bodyOf),
    };
    c.set("answered", { rows: memberships.length });
    return c.json(body, 200);
  });
}

function explain({ reason }: PriceListDecision, [winner, second]: readonly Membership[]): string {
  if (!winner) return "The customer is in no group, so the store's own prices apply.";
  const decides = `${label(winner)} decides`;
  if (!second) return `${decides}: it is the only group of the customer.`;
  const tie = `it has the highest priority, ${winner.priority}, together with ${label(second)}`;
  const since = (at: number) => new Date(at).toISOString();
  switch (reason) {
    case "HIGHEST_PRIORITY":
      return `${decides}: its priority ${winner.priority} is higher than the ${second.priority} of ${
        label(second)
      }.`;
    case "EARLIEST_ASSIGNED":
      return `${decides}: ${tie}, and the customer has been in it since ${since(winner.assignedAt)}, ` +
        `in the other group since ${since(second.assignedAt)}.`;
    default:
      return `${decides}: ${tie}, both since ${since(winner.assignedAt)}, and its ID is lower.`;
  }
}

const label = ({ name, groupId }: Membership) => `${name} (${groupId})`;
