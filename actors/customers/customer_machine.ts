/**
 * State machine of a customer: the commands that each state accepts, and the events that it publishes. No state ends by
 * itself.
 *
 * | state      | moved on by                                                    |
 * | ---------- | -------------------------------------------------------------- |
 * | active     | suspension, closing or an erasure                              |
 * | suspended  | reinstatement, closing or an erasure                           |
 * | closed     | reinstatement or an erasure                                    |
 * | anonymized | nothing: final                                                 |
 *
 * Legal holds can be placed in every state but the final one, and no erasure is accepted while one is in effect.
 *
 * `customer@1` is the name and version of the machine: an incompatible change gets a new version.
 */
import { assign, setup } from "xstate";
import { sharedActions } from "../actions.ts";

/** Facts about the customer's rows; personal values never enter a machine. */
export interface CustomerContext {
  addresses: number;
  groups: number;
  /** Legal holds in effect. */
  holds: number;
}

/** Input of a new customer. */
export interface CustomerInput {
  /** The person was erased before and registers again at their own request. */
  returning: boolean;
}

/** Commands of a customer, which a state may refuse. They name changed fields without values. */
export type CustomerCommandEvent =
  & { by: "CUSTOMER" | "STAFF" | "SYSTEM" }
  & (
    | { type: "profile.update"; changedFields: string[] }
    | { type: "address.add" }
    | { type: "address.update" }
    | { type: "address.delete" }
    /** `isMember`: already before the command; the runtime then discards the transition. */
    | { type: "group.assign"; groupId: string; isMember?: boolean }
    | { type: "group.remove"; groupId: string }
    /** `changedFields`: fields of the profile that change together with the status. */
    | { type: "account.suspend" | "account.reinstate" | "account.close"; changedFields?: string[] }
    /** `groupIds`: the groups whose memberships end. */
    | { type: "erase"; groupIds?: readonly string[] }
    /** `endsInMs`: after this many milliseconds the hold ends by itself; absent: never. */
    | { type: "hold.place"; holdId: string; endsInMs?: number }
    | { type: "hold.lift" | "hold.expire"; holdId: string }
  );

/** Beyond these an address book or a customer's groups are a mistake or an abuse. */
export const ADDRESS_LIMIT = 50;
export const GROUP_LIMIT = 50;
/** More holds at once on one customer are a mistake. */
export const HOLD_LIMIT = 20;

/** Declarations of the actions that hold_commands.ts implements. */
export const holdActions = {
  /** Ends a hold whose time has passed. */
  endHold: (_: unknown, _params: { holdId: string }) => {},
};

/** Declarations of the actions that closing_actions.ts implements. */
export const closingActions = {
  /** Stores that the account is closed, from which the retention period of the store counts. */
  startRetention: () => {},
  /** Stores that the account is open again. */
  endRetention: () => {},
};

const customerSetup = setup({
  types: {
    context: {} as CustomerContext,
    events: {} as CustomerCommandEvent,
    input: {} as CustomerInput | undefined,
  },
  actions: {
    ...sharedActions,
    ...holdActions,
    ...closingActions,
    countHold: assign({ holds: ({ context }, delta: 1 | -1) => Math.max(0, context.holds + delta) }),
    countAddress: assign({ addresses: ({ context }, delta: 1 | -1) => context.addresses + delta }),
    countGroup: assign({ groups: ({ context }, delta: 1 | -1) => context.groups + delta }),
  },
  guards: {
    /** Customers may change nothing while the account is inactive; staff and services may still correct the data. */
    isStaffOrService: ({ event }) => event.by !== "CUSTOMER",
    isNotHeld: ({ context }) => context.holds === 0,
    hasRoomForHold: ({ context }) => context.holds < HOLD_LIMIT,
    hasRoomForAddress: ({ context }) => context.addresses < ADDRESS_LIMIT,
    hasRoomForGroup: ({ context, event }) =>
      context.groups < GROUP_LIMIT || (event.type === "group.assign" && event.isMember === true),
  },
});

const publishUpdated = (...changedFields: string[]) =>
  ({ type: "publish", params: { topic: "customer.updated", changedFields } }) as const;
const publishStatus = (status: string) =>
  ({
    type: "publish",
    params: ({ event }: { event: CustomerCommandEvent & { changedFields?: string[] } }) => ({
      topic: "customer.updated" as const,
      changedFields: ["status", ...(event.changedFields ?? [])],
      status,
    }),
  }) as const;
const audit = (action: string) => ({ type: "audit", params: { action } }) as const;

const profileUpdateActions = [
  {
    type: "publish",
    params: ({ event }: { event: CustomerCommandEvent & { type: "profile.update" } }) => ({
      topic: "customer.updated" as const,
      changedFields: event.changedFields,
    }),
  } as const,
  audit("CUSTOMER_UPDATED"),
];
const addressAddActions = [
  { type: "countAddress", params: 1 } as const,
  publishUpdated("addresses"),
  audit("ADDRESS_ADDED"),
];
const addressUpdateActions = [publishUpdated("addresses"), audit("ADDRESS_UPDATED")];
const addressDeleteActions = [
  { type: "countAddress", params: -1 } as const,
  publishUpdated("addresses"),
  audit("ADDRESS_DELETED"),
];

const assignTransitions = customerSetup.createStateConfig({
  on: {
    "group.assign": {
      guard: "hasRoomForGroup",
      actions: [
        { type: "countGroup", params: 1 },
        {
          type: "publish",
          params: ({ event }) => ({ topic: "customer.group_assigned", groupId: event.groupId }),
        },
        audit("CUSTOMER_GROUP_ASSIGNED"),
      ],
    },
  },
}).on;

/** An erasure ends every membership. */
const publishRemovals = customerSetup.enqueueActions(({ enqueue, event }) => {
  const { groupIds = [] } = event as CustomerCommandEvent & { type: "erase" };
  for (const groupId of groupIds) {
    enqueue({ type: "publish", params: { topic: "customer.group_removed", groupId } });
  }
});

const holdTimer = (holdId: string) => `hold ${holdId}`;
const reviewErasure = { type: "perform", params: { effect: "erasure.review", params: {} } } as const;

type HoldEvent<Type> = CustomerCommandEvent & { type: Type };

const placeHold = customerSetup.enqueueActions(({ enqueue, event }) => {
  const { holdId, endsInMs } = event as HoldEvent<"hold.place">;
  enqueue({ type: "countHold", params: 1 });
  if (endsInMs !== undefined) {
    enqueue.raise({ type: "hold.expire", by: "SYSTEM", holdId }, { id: holdTimer(holdId), delay: endsInMs });
  }
  enqueue(reviewErasure);
  enqueue(audit("CUSTOMER_HOLD_PLACED"));
});

/** The end of the last hold lets an erasure continue. */
const endHold = customerSetup.enqueueActions(({ enqueue, event, context }) => {
  const { type, holdId } = event as HoldEvent<"hold.lift" | "hold.expire">;
  enqueue({ type: "countHold", params: -1 });
  if (type === "hold.expire") enqueue({ type: "endHold", params: { holdId } });
  else enqueue.cancel(holdTimer(holdId));
  if (context.holds <= 1) enqueue(reviewErasure);
  enqueue(audit(type === "hold.expire" ? "CUSTOMER_HOLD_EXPIRED" : "CUSTOMER_HOLD_LIFTED"));
});

/** Transitions of every state but the final one. */
const commonTransitions = customerSetup.createStateConfig({
  on: {
    "group.remove": {
      actions: [
        { type: "countGroup", params: -1 },
        {
          type: "publish",
          params: ({ event }) => ({ topic: "customer.group_removed", groupId: event.groupId }),
        },
        audit("CUSTOMER_GROUP_REMOVED"),
      ],
    },
    "hold.place": { guard: "hasRoomForHold", actions: [placeHold] },
    "hold.lift": { actions: [endHold] },
    "hold.expire": { actions: [endHold] },
    erase: {
      guard: "isNotHeld",
      target: "anonymized",
      actions: [publishRemovals, audit("CUSTOMER_ERASED")],
    },
  },
}).on;

/** Transitions of an inactive account. actors/runtime/authorization.ts checks the sender of each command before. */
const inactiveTransitions = customerSetup.createStateConfig({
  on: {
    "profile.update": { guard: "isStaffOrService", actions: profileUpdateActions },
    "address.update": { guard: "isStaffOrService", actions: addressUpdateActions },
    "address.delete": { guard: "isStaffOrService", actions: addressDeleteActions },
    "account.reinstate": {
      target: "active",
      actions: [publishStatus("ACTIVE"), audit("CUSTOMER_REINSTATED")],
    },
  },
}).on;

const suspendTransition = {
  target: "suspended",
  actions: [publishStatus("SUSPENDED"), audit("CUSTOMER_SUSPENDED")],
} as const;
const closeTransition = {
  target: "closed",
  actions: [publishStatus("CLOSED"), { type: "startRetention" }, audit("CUSTOMER_CLOSED")],
} as const;

/** The first of all events carries the machine's input. */
const auditReturn = customerSetup.enqueueActions(({ enqueue, event }) => {
  const { input } = event as { input?: CustomerInput };
  if (input?.returning) enqueue(audit("CUSTOMER_RETURNED"));
});

export const customerMachine = customerSetup.createMachine({
  id: "customer@1",
  context: { addresses: 0, groups: 0, holds: 0 },
  entry: [
    { type: "publish", params: { topic: "customer.created" } },
    audit("CUSTOMER_CREATED"),
    auditReturn,
  ],
  initial: "active",
  states: {
    /** The customer can shop, and change their data. */
    active: {
      on: {
        ...commonTransitions,
        ...assignTransitions,
        "profile.update": { actions: profileUpdateActions },
        "address.add": { guard: "hasRoomForAddress", actions: addressAddActions },
        "address.update": { actions: addressUpdateActions },
        "address.delete": { actions: addressDeleteActions },
        "account.suspend": suspendTransition,
        "account.close": closeTransition,
      },
    },
    /** The store has blocked the account until it reinstates it. */
    suspended: {
      on: {
        ...commonTransitions,
        ...assignTransitions,
        ...inactiveTransitions,
        "account.close": closeTransition,
      },
    },
    /**
     * The customer has left. The data stays until an erasure, which starts by itself after the retention period of the
     * store. A reinstatement stops it.
     */
    closed: {
      on: {
        ...commonTransitions,
        ...inactiveTransitions,
        "account.reinstate": {
          target: "active",
          actions: [
            publishStatus("ACTIVE"),
            { type: "endRetention" },
            reviewErasure,
            audit("CUSTOMER_REINSTATED"),
          ],
        },
      },
    },
    /** The customer was erased. No personal value is left, and no command is accepted. */
    anonymized: { type: "final" },
  },
});
