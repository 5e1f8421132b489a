/** The shopper group: shoppers of a store that share a price list. */
import { setup } from "xstate";
import { sharedActions } from "../actions.ts";

/** What a group can be told. */
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
    /** Has a say in its members' prices. */
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
    /** Decides no price from this moment on; its memberships end one by one behind it. */
    deleted: { type: "final" },
  },
});
