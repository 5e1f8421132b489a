/** The customer as an actor: its row and its commands about the profile and the account. */
import { z } from "zod";
import { removeFreeText } from "../../db/free_text.ts";
import { eraseAddresses } from "../../db/customer_addresses.ts";
import type { RowFacts } from "../../db/actor_reads.ts";
import { deleteMemberships } from "../../db/customer_group_memberships.ts";
import type { EmailHash } from "../../db/email_hashes.ts";
import { lockCustomer } from "../../db/customers.ts";
import type { CustomerCounts, CustomerRow } from "../../db/customers.ts";
import type { RowChange } from "../../db/commits.ts";
import type { CommandRights } from "../runtime/authorization.ts";
import {
  type AnyHandler,
  type Behavior,
  type Change,
  type CommandOf,
  type Found,
  handler,
} from "../runtime/behavior.ts";
import { changedOnly, columnNames } from "../runtime/changes.ts";
import type { ActorRef } from "../runtime/protocol.ts";
import { ADDRESS_LIMIT, customerMachine, GROUP_LIMIT, HOLD_LIMIT } from "./customer_machine.ts";
import { addressHandlers } from "./address_commands.ts";
import { closingActionHandlers } from "./closing_actions.ts";
import { holdActionHandlers, holdHandlers } from "./hold_commands.ts";
import { membershipHandlers } from "./membership_commands.ts";
import { refuseErased, refuseErasedEmail } from "../gdpr/requests/erasure_memory.ts";
import { optionalText, uuid } from "../../domain/input.ts";
import { authorizeEmailChange } from "../../domain/authorization.ts";
import type { Principal } from "../../domain/principal.ts";
import { profile } from "../../domain/profile.ts";
import { erasedValuesOf } from "../../db/personal_data.ts";

/** A customer's row with the numbers of its related rows. */
export type CountedCustomer = CustomerRow & CustomerCounts;

/** `returning`: the person may have been erased before, and registers again at their own request. */
const registration = profile.extend({ returning: z.boolean().default(false) });

const changes = profile.partial();

type Target = { ref: ActorRef; row: CountedCustomer; by: Principal };

/** @throws {DomainError} FORBIDDEN: the caller may not change the email */
function changedProfile({ ref, row, by }: Target, fields: z.output<typeof changes>) {
  if (fields.email !== undefined) authorizeEmailChange(`change the email of customer ${ref.id}`, by);
  const columns = changedOnly(row, fields);
  return { columns, changedFields: columnNames(columns) };
}

const updateProfile = handler(["CUSTOMER", "STAFF", "SYSTEM"], changes, (target: Target, fields) => {
  const { columns, changedFields } = changedProfile(target, fields);
  const event = { type: "profile.update", by: target.by.type, changedFields };
  return { event, changedFields, columns };
});

const changeStatus = (type: "account.suspend" | "account.reinstate" | "account.close") =>
  handler(
    ["STAFF", "SYSTEM"],
    z.strictObject({ reason: optionalText(500), note: optionalText(500) }),
    ({ by }, { reason, note }) => ({
      event: { type, by: by.type },
      changedFields: ["status"],
      reason: reason ?? undefined,
      note: note ?? undefined,
    }),
  );

/** Events that lead to each status. */
const TOWARDS = {
  ACTIVE: "account.reinstate",
  SUSPENDED: "account.suspend",
  CLOSED: "account.close",
} as const;

/** Changes the status and the profile in one event. */
const updateAccount = handler(
  ["STAFF", "SYSTEM"],
  changes.extend({ status: z.enum(["ACTIVE", "SUSPENDED", "CLOSED"]) }),
  (target: Target, { status, ...fields }) => {
    const { columns, changedFields } = changedProfile(target, fields);
    const isSame = status === target.row.status;
    const type = isSame ? "profile.update" : TOWARDS[status];
    return {
      event: { type, by: target.by.type, changedFields },
      changedFields: isSame ? changedFields : ["status", ...changedFields],
      columns,
    };
  },
);

const PERSONAL_COLUMNS = erasedValuesOf("customers") as Record<string, null>;

const erase = handler(
  ["SYSTEM"],
  z.strictObject({ requestId: uuid }),
  ({ ref, by, now, facts: { groupIds } }) => ({
    event: { type: "erase", by: by.type, groupIds },
    changedFields: [...columnNames(PERSONAL_COLUMNS), "addresses", "shopper_groups", "anonymized_at"],
    columns: PERSONAL_COLUMNS,
    write: async (tx) => {
      await eraseAddresses(tx, ref.storeId, ref.id, now);
      await deleteMemberships(tx, ref.storeId, ref.id);
      await removeFreeText(tx, { storeId: ref.storeId, customerId: ref.id });
    },
  }),
  () => ({ allGroups: true }),
);

export interface CustomerSettings {
  /** Hashes of an email with every key, for the erasure memory and for participants. */
  hashEmail(email: string): Promise<EmailHash[]>;
  /** Hashes by which the erasure memory knows an email, with every key. */
  hashForMemory(email: string): Uint8Array[];
}

export function createCustomerBehavior(
  { hashEmail, hashForMemory }: CustomerSettings,
): Behavior<CountedCustomer> {
  return {
    ...behavior,
    rows: {
      rowOf: ({ row }) => row && customerOf(row),
      /** Keeps hashes of an email that is replaced, so that the erasure memory knows every email of the account. */
      async change(ref, change, found) {
        const row = rowChange(ref, change, found);
        const replaced = change.columns.email == null ? null : found?.row.email;
        if (replaced == null) return { row };
        return { row, emailHashes: { customerId: ref.id, hashes: await hashEmail(replaced) } };
      },
    },
    creation: {
      type: "register",
      by: ["STAFF", "SYSTEM"],
      input: registration,
      needs: ({ email }: z.output<typeof registration>) =>
        Promise.resolve({ emailHashes: hashForMemory(email) }),
      begin({ ref, needs, facts }, { returning, ...fields }: z.output<typeof registration>) {
        refuseErased(ref.id, facts!);
        if (!returning) refuseErasedEmail(ref.id, facts!);
        return {
          machine: customerMachine,
          input: { returning: returning && facts!.emailErasedAt !== undefined },
          columns: changedOnly({}, fields),
          customerId: ref.id,
          rows: {
            unlessErased: { id: ref.id, hashes: returning ? [] : needs.emailHashes! },
          },
        };
      },
    },
  };
}

const handlers = {
  "profile.update": updateProfile,
  ...addressHandlers,
  ...membershipHandlers,
  "account.suspend": changeStatus("account.suspend"),
  "account.reinstate": changeStatus("account.reinstate"),
  "account.close": changeStatus("account.close"),
  "account.update": updateAccount,
  ...holdHandlers,
  erase,
};

export type CustomerCommand =
  | CommandOf<typeof handlers>
  | { type: "register" } & z.input<typeof registration>;

const purposes = {
  register: "register",
  "profile.update": "change the profile of",
  "address.add": "add an address to",
  "address.update": "change an address of",
  "address.delete": "delete an address of",
  "group.assign": "assign a shopper group to",
  "group.remove": "remove a shopper group from",
  "account.suspend": "suspend",
  "account.reinstate": "reinstate",
  "account.close": "close the account of",
  "account.update": "change the profile and status of",
  "hold.place": "place a hold on",
  "hold.lift": "lift a hold of",
  erase: "erase",
} satisfies Record<CustomerCommand["type"], string>;

const behavior: Omit<Behavior<CountedCustomer>, "creation" | "rows"> = {
  kind: "customer",
  noun: "customer",
  purposes,
  describeState: ({ value }) => value === "anonymized" ? "it has been erased" : `it is ${value}`,
  partCommands: Object.keys(membershipHandlers),
  role: "CUSTOMER_MANAGER",
  handlers,
  actions: { ...holdActionHandlers, ...closingActionHandlers },
  customerOf: (ref) => ref.id,
  lock: (tx, ref) => lockCustomer(tx, ref.storeId, ref.id),
  restore(row) {
    const snapshot = customerSnapshot(row);
    const { version, membershipVersion: partVersion } = row;
    return { row, version, partVersion, machine: customerMachine, snapshot };
  },
  guards: {
    isStaffOrService: "the customer may not until the account is active again",
    isNotHeld: "a legal hold on it is in effect",
    hasRoomForHold: `there are ${HOLD_LIMIT} holds in effect, and no more are kept`,
    hasRoomForAddress: `there are ${ADDRESS_LIMIT} addresses, and no more are kept`,
    hasRoomForGroup: `there are ${GROUP_LIMIT} groups, which is the limit`,
  },
  conflicts: {
    customers_email: "its email belongs to another customer",
    customers_pkey: "it exists already",
  },
};

/** The facts that the machine's state depends on. */
export type StateOfCustomer = Pick<
  CountedCustomer,
  "status" | "anonymizedAt" | "addresses" | "groups" | "holds"
>;

export function customerSnapshot({ status, anonymizedAt, addresses, groups, holds }: StateOfCustomer) {
  const value = anonymizedAt ? "anonymized" : status.toLowerCase();
  return customerMachine.resolveState({ value, context: { addresses, groups, holds } });
}

/** Who may send a command. */
export function rightsOfCommand(type: keyof typeof handlers): CommandRights {
  const { by, role = behavior.role } = handlers[type] as AnyHandler<CountedCustomer>;
  return { by, role };
}

/** Dates are texts in a row that was read as JSON. */
function customerOf(row: RowFacts): CountedCustomer {
  const { anonymizedAt, closedAt } = row;
  return {
    ...row,
    anonymizedAt: anonymizedAt === null ? null : new Date(String(anonymizedAt)),
    closedAt: closedAt === null ? null : new Date(String(closedAt)),
  } as CountedCustomer;
}

function rowChange({ id }: ActorRef, change: Change, found?: Found<CountedCustomer>): RowChange {
  const table = "customers";
  if (!found) {
    return { table, id, values: { ...columns(change), membershipVersion: 1, createdAt: change.at } };
  }
  const { version, partVersion = 1 } = found;
  return { table, id, values: columns(change), seen: { version, partVersion } };
}

/** The row's own words for the machine's state. */
const STATUS: Record<string, Pick<CustomerRow, "status">> = {
  active: { status: "ACTIVE" },
  suspended: { status: "SUSPENDED" },
  closed: { status: "CLOSED" },
  anonymized: { status: "CLOSED" },
};

function columns({ columns, snapshot, version, partVersion, isOfPart, at }: Change) {
  if (isOfPart) return { membershipVersion: partVersion };
  const state = String(snapshot.value);
  const anonymized = state === "anonymized" ? { anonymizedAt: at } : {};
  return { ...columns, ...STATUS[state], ...anonymized, version, updatedAt: at };
}
