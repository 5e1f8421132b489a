/** State machine of a customer: the commands that each state accepts, and the events that it publishes. */
import { assign, setup } from "xstate";
import { sharedActions } from "../actions.ts";

/** Facts about the customer's rows; personal values never enter a machine. */
export interface CustomerContext {
  addresses: number;
  groups: number;
}

/** How a customer begins. */
export interface CustomerInput {
  /** The person was erased before and returns of their own will. */
  returning: boolean;
}

/** Events of a customer, in the imperative because they may be refused. They name changed fields without values. */
export type CustomerEvent =
  & { by: "CUSTOMER" | "STAFF" | "SYSTEM" }
  & (
    | { type: "profile.update"; changedFields: string[] }
    | { type: "address.add" }
    | { type: "address.update" }
    | { type: "address.delete" }
    /** `already`: the customer is a member, and the command changes nothing. */
    | { type: "group.assign"; groupId: string; already?: boolean }
    | { type: "group.remove"; groupId: string }
    /** `changedFields`: fields of the profile that change together with the status. */
    | { type: "account.suspend" | "account.reinstate" | "account.close"; changedFields?: string[] }
    /** `groupIds`: the groups whose memberships end. */
    | { type: "erase"; groupIds?: readonly string[] }
  );

/** Beyond these an address book or a customer's groups are a mistake or an abuse. */
export const ADDRESS_LIMIT = 50;
export const GROUP_LIMIT = 50;

const customer = setup({
  types: {
    context: {} as CustomerContext,
    events: {} as CustomerEvent,
    input: {} as CustomerInput | undefined,
  },
  actions: {
    ...sharedActions,
    countAddress: assign({ addresses: ({ context }, by: 1 | -1) => context.addresses + by }),
    countGroup: assign({ groups: ({ context }, by: 1 | -1) => context.groups + by }),
  },
  guards: {
    /** The shopper's own hand is tied while the account is not active; staff still keep the record right. */
    notByCustomer: ({ event }) => event.by !== "CUSTOMER",
    hasRoomForAddress: ({ context }) => context.addresses < ADDRESS_LIMIT,
    hasRoomForGroup: ({ context, event }) =>
      context.groups < GROUP_LIMIT || (event.type === "group.assign" && event.already === true),
  },
});

const updated = (...changedFields: string[]) =>
  ({ type: "publish", params: { topic: "customer.updated", changedFields } }) as const;
const statusUpdated = (status: string) =>
  ({
    type: "publish",
    params: ({ event }: { event: CustomerEvent & { changedFields?: string[] } }) => ({
      topic: "customer.updated" as const,
      changedFields: ["status", ...(event.changedFields ?? [])],
      status,
    }),
  }) as const;
const audited = (action: string) => ({ type: "audit", params: { action } }) as const;

const profileUpdated = [
  {
    type: "publish",
    params: ({ event }: { event: CustomerEvent & { type: "profile.update" } }) => ({
      topic: "customer.updated" as const,
      changedFields: event.changedFields,
    }),
  } as const,
  audited("CUSTOMER_UPDATED"),
];
const addressAdded = [
  { type: "countAddress", params: 1 } as const,
  updated("addresses"),
  audited("ADDRESS_ADDED"),
];
const addressUpdated = [updated("addresses"), audited("ADDRESS_UPDATED")];
const addressDeleted = [
  { type: "countAddress", params: -1 } as const,
  updated("addresses"),
  audited("ADDRESS_DELETED"),
];

const groupAssign = customer.createStateConfig({
  on: {
    "group.assign": {
      guard: "hasRoomForGroup",
      actions: [
        { type: "countGroup", params: 1 },
        {
          type: "publish",
          params: ({ event }) => ({ topic: "customer.group_assigned", groupId: event.groupId }),
        },
        audited("CUSTOMER_GROUP_ASSIGNED"),
      ],
    },
  },
}).on;

/** An erasure ends every membership. */
const publishRemovals = customer.enqueueActions(({ enqueue, event }) => {
  const { groupIds = [] } = event as CustomerEvent & { type: "erase" };
  for (const groupId of groupIds) {
    enqueue({ type: "publish", params: { topic: "customer.group_removed", groupId } });
  }
});

const always = customer.createStateConfig({
  on: {
    "group.remove": {
      actions: [
        { type: "countGroup", params: -1 },
        {
          type: "publish",
          params: ({ event }) => ({ topic: "customer.group_removed", groupId: event.groupId }),
        },
        audited("CUSTOMER_GROUP_REMOVED"),
      ],
    },
    erase: { target: "anonymized", actions: [publishRemovals, audited("CUSTOMER_ERASED")] },
  },
}).on;

const byStaff = customer.createStateConfig({
  on: {
    "profile.update": { guard: "notByCustomer", actions: profileUpdated },
    "address.update": { guard: "notByCustomer", actions: addressUpdated },
    "address.delete": { guard: "notByCustomer", actions: addressDeleted },
    "account.reinstate": {
      target: "active",
      actions: [statusUpdated("ACTIVE"), audited("CUSTOMER_REINSTATED")],
    },
  },
}).on;

const suspend = {
  target: "suspended",
  actions: [statusUpdated("SUSPENDED"), audited("CUSTOMER_SUSPENDED")],
} as const;
const close = { target: "closed", actions: [statusUpdated("CLOSED"), audited("CUSTOMER_CLOSED")] } as const;

/** The first of all events carries the machine's input. */
const auditReturn = customer.enqueueActions(({ enqueue, event }) => {
  const { input } = event as { input?: CustomerInput };
  if (input?.returning) enqueue(audited("CUSTOMER_RETURNED"));
});

export const customerMachine = customer.createMachine({
  id: "customer@1",
  context: { addresses: 0, groups: 0 },
  entry: [
    { type: "publish", params: { topic: "customer.created" } },
    audited("CUSTOMER_CREATED"),
    auditReturn,
  ],
  initial: "active",
  states: {
    /** Shops, and keeps the own record. */
    active: {
      on: {
        ...always,
        ...groupAssign,
        "profile.update": { actions: profileUpdated },
        "address.add": { guard: "hasRoomForAddress", actions: addressAdded },
        "address.update": { actions: addressUpdated },
        "address.delete": { actions: addressDeleted },
        "account.suspend": suspend,
        "account.close": close,
      },
    },
    /** Barred for the time being. */
    suspended: { on: { ...always, ...groupAssign, ...byStaff, "account.close": close } },
    /** Has left; the record is kept until its retention or an erasure ends it. */
    closed: { on: { ...always, ...byStaff } },
    /** Erased: no personal value is left, and no command is accepted. */
    anonymized: { type: "final" },
  },
});
