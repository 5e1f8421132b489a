/** The customer as an actor: its row and its commands about the profile and the account. */
import { z } from "zod";
import { removeFreeText } from "../../db/free_text.ts";
import { eraseAddresses } from "../../db/customer_addresses.ts";
import { deleteMemberships, findGroupIds } from "../../db/customer_group_memberships.ts";
import { type EmailHash, insertEmailHashes } from "../../db/email_hashes.ts";
import { insertCustomer, lockCustomer, updateCustomer } from "../../db/customers.ts";
import type { CustomerCounts, CustomerRow } from "../../db/customers.ts";
import { type Behavior, type Change, type CommandOf, handler } from "../runtime/behavior.ts";
import { changedOnly, columnNames } from "../runtime/changes.ts";
import type { ActorRef } from "../runtime/protocol.ts";
import { ADDRESS_LIMIT, customerMachine, GROUP_LIMIT } from "./customer_machine.ts";
import { addressHandlers } from "./address_commands.ts";
import { membershipHandlers } from "./membership_commands.ts";
import { isErasedEmail, refuseErased, refuseErasedEmail } from "../gdpr/requests/erasure_memory.ts";
import { optionalText, uuid } from "../../domain/input.ts";
import { authorizeEmailChange } from "../../domain/authorization.ts";
import type { Principal } from "../../domain/principal.ts";
import { profile } from "../../domain/profile.ts";
import { erasedValuesOf } from "../../db/personal_data.ts";

/** A customer's locked row, with what hangs on it counted. */
export type LockedCustomer = CustomerRow & CustomerCounts;

/** `returning`: the person may have been erased before, and registers again at their own request. */
const registration = profile.extend({ returning: z.boolean().default(false) });

const changes = profile.partial();

type Target = { ref: ActorRef; row: LockedCustomer; by: Principal };

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
  async ({ tx, ref, by, now }) => ({
    event: { type: "erase", by: by.type, groupIds: await findGroupIds(tx, ref.storeId, ref.id) },
    changedFields: [...columnNames(PERSONAL_COLUMNS), "addresses", "shopper_groups", "anonymized_at"],
    columns: PERSONAL_COLUMNS,
    write: async (tx) => {
      await eraseAddresses(tx, ref.storeId, ref.id, now);
      await deleteMemberships(tx, ref.storeId, ref.id);
      await removeFreeText(tx, { storeId: ref.storeId, customerId: ref.id });
    },
  }),
);

export interface CustomerSettings {
  /** Hashes by which the erasure memory knows an email, with every key. */
  hashEmail(email: string): Promise<EmailHash[]>;
}

export function createCustomerBehavior({ hashEmail }: CustomerSettings): Behavior<LockedCustomer> {
  return {
    ...behavior,
    /** Keeps hashes of an email that is replaced, so that the erasure memory knows every email of the account. */
    async update(tx, ref, change) {
      const replaced = change.columns.email == null ? undefined : await lockCustomer(tx, ref.storeId, ref.id);
      if (replaced?.email != null) {
        const key = { storeId: ref.storeId, customerId: ref.id };
        await insertEmailHashes(tx, key, await hashEmail(replaced.email));
      }
      await behavior.update(tx, ref, change);
    },
    creation: {
      type: "register",
      by: ["STAFF", "SYSTEM"],
      input: registration,
      async begin({ tx, ref }, { returning, ...fields }: z.output<typeof registration>) {
        await refuseErased(tx, ref.storeId, ref.id);
        const hashes = await hashEmail(fields.email);
        return {
          machine: customerMachine,
          input: { returning: returning && await isErasedEmail(tx, ref.storeId, hashes) },
          columns: changedOnly({}, fields),
          customerId: ref.id,
          // After the insertion, which waits for a concurrent erasure: that erasure frees the email and remembers it.
          follow: async () => {
            if (!returning) await refuseErasedEmail(tx, ref.storeId, ref.id, hashes);
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
  erase: "erase",
} satisfies Record<CustomerCommand["type"], string>;

const behavior: Omit<Behavior<LockedCustomer>, "creation"> = {
  kind: "customer",
  noun: "customer",
  purposes,
  describeState: ({ value }) => value === "anonymized" ? "it has been erased" : `it is ${value}`,
  partCommands: Object.keys(membershipHandlers),
  role: "CUSTOMER_MANAGER",
  handlers,
  customerOf: (ref) => ref.id,
  async lock(tx, ref) {
    const row = await lockCustomer(tx, ref.storeId, ref.id);
    if (!row) return undefined;
    const value = row.anonymizedAt ? "anonymized" : row.status.toLowerCase();
    const context = { addresses: row.addresses, groups: row.groups };
    const snapshot = customerMachine.resolveState({ value, context });
    const { version, membershipVersion: partVersion } = row;
    return { row, version, partVersion, machine: customerMachine, snapshot };
  },
  insert: (tx, ref, change) =>
    insertCustomer(tx, ref.storeId, ref.id, { ...columns(change), createdAt: change.at }),
  update: (tx, ref, change) => updateCustomer(tx, ref.storeId, ref.id, columns(change)),
  guards: {
    isStaffOrService: "the customer may not until the account is active again",
    hasRoomForAddress: `there are ${ADDRESS_LIMIT} addresses, and no more are kept`,
    hasRoomForGroup: `there are ${GROUP_LIMIT} groups, which is the limit`,
  },
  conflicts: {
    customers_email: "its email belongs to another customer",
    customers_pkey: "it exists already",
  },
};

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
