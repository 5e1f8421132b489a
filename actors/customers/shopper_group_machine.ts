/** State machine of a shopper group: shoppers of a store that share a price list. */
import { setup } from "xstate";
import { sharedActions } from "../actions.ts";

/** Events of a group. */
export type ShopperGroupEvent = { type: "group.update"; changedFields: string[] } | { type: "group.delete" };

const group = setup({
  types: { events: {} as ShopperGroupEvent },
  actions: sharedActions,
});

export const shopperGroupMachine = group.createMachine({
  id: "shopper_group@1",
  entry: [{ type: "audit", params: { action: "SHOPPER_GROUP_CREATED" } }],
  initial: "active",
  states: {
    /** The group can decide the price list of its members. */
    active: {
      on: {
        "group.update": { actions: [{ type: "audit", params: { action: "SHOPPER_GROUP_UPDATED" } }] },
        "group.delete": {
          target: "deleted",
          actions: [
            { type: "perform", params: { effect: "memberships.end", params: {} } },
            { type: "audit", params: { action: "SHOPPER_GROUP_DELETED" } },
          ],
        },
      },
    },
    /** The group no longer decides a price. Its memberships end one by one afterwards. */
    deleted: { type: "final" },
  },
});
