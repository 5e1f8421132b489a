/** The customer as an actor: its row and its commands about the profile and the account. */
import { z } from "zod";
import { eraseAddresses } from "../../db/customer_addresses.ts";
import { deleteMemberships, findGroupIds } from "../../db/customer_group_memberships.ts";
import { type EmailHash, insertEmailHashes } from "../../db/email_hashes.ts";
import { insertCustomer, lockCustomer, updateCustomer } from "../../db/customers.ts";
import type { CustomerCounts, CustomerRow } from "../../db/customers.ts";
import { type Behavior, type Change, type CommandOf, handler } from "../runtime/behavior.ts";
import { changedOnly, columnNames } from "../runtime/changes.ts";
import { ADDRESS_LIMIT, customerMachine, GROUP_LIMIT } from "./customer_machine.ts";
import { addressHandlers } from "./address_commands.ts";
import { membershipHandlers } from "./membership_commands.ts";
import { refuseErased, refuseErasedEmail } from "../gdpr/requests/erasure_memory.ts";
import { uuid } from "../../domain/input.ts";
import type { Principal } from "../../domain/principal.ts";
import { profile } from "../../domain/profile.ts";
import { erasedValuesOf } from "../../db/personal_data.ts";

/** A customer's locked row, with what hangs on it counted. */
export type Customer = CustomerRow & CustomerCounts;

/** `returning`: the person may have been erased before, and comes back of their own will. */
const registration = profile.extend({ returning: z.boolean().default(false) });
const nothing = z.strictObject({});

/** Keeps a hash of an email that is replaced, so that the erasure memory knows every email of the account. */
const updateProfile = (hashEmail: CustomerSettings["hashEmail"]) =>
  handler(
    ["CUSTOMER", "STAFF", "SYSTEM"],
    profile.partial(),
    ({ row, by, ref }: { row: Customer; by: Principal; ref: { storeId: string; id: string } }, input) => {
      const columns = changedOnly(row, input);
      const changedFields = columnNames(columns);
      const { email } = row;
      const key = { storeId: ref.storeId, customerId: ref.id };
      return {
        event: { type: "profile.update", by: by.type, changedFields },
        changedFields,
        columns,
        write: async (tx) => {
          if (email === null || !changedFields.includes("email")) return;
          await insertEmailHashes(tx, key, await hashEmail(email));
        },
      };
    },
  );

const changeStatus = (type: "account.suspend" | "account.reinstate" | "account.close") =>
  handler(["STAFF", "SYSTEM"], nothing, ({ by }) => ({
    event: { type, by: by.type },
    changedFields: ["status"],
  }));

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
    },
  }),
);

export interface CustomerSettings {
  /** Hashes by which the erasure memory knows an email, with every key. */
  hashEmail(email: string): Promise<EmailHash[]>;
}

export function createCustomerBehavior({ hashEmail }: CustomerSettings): Behavior<Customer> {
  return {
    ...behavior,
    handlers: { ...handlers, "profile.update": updateProfile(hashEmail) },
    creation: {
      type: "register",
      by: ["STAFF", "SYSTEM"],
      input: registration,
      async begin({ tx, ref }, { returning, ...fields }: z.output<typeof registration>) {
        await refuseErased(tx, ref.storeId, ref.id);
        const hashes = await hashEmail(fields.email);
        return {
          machine: customerMachine,
          input: { returning },
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
  ...addressHandlers,
  ...membershipHandlers,
  "account.suspend": changeStatus("account.suspend"),
  "account.reinstate": changeStatus("account.reinstate"),
  "account.close": changeStatus("account.close"),
  erase,
};

export type CustomerCommand =
  | CommandOf<typeof handlers & { "profile.update": ReturnType<typeof updateProfile> }>
  | { type: "register" } & z.input<typeof registration>;

const behavior: Omit<Behavior<Customer>, "creation" | "handlers"> = {
  kind: "customer",
  role: "CUSTOMER_MANAGER",
  customerOf: (ref) => ref.id,
  async lock(tx, ref) {
    const row = await lockCustomer(tx, ref.storeId, ref.id);
    if (!row) return undefined;
    const value = row.anonymizedAt ? "anonymized" : row.status.toLowerCase();
    const context = { addresses: row.addresses, groups: row.groups };
    const snapshot = customerMachine.resolveState({ value, context });
    return { row, version: row.version, machine: customerMachine, snapshot };
  },
  insert: (tx, ref, change) =>
    insertCustomer(tx, ref.storeId, ref.id, { ...columns(change), createdAt: change.at }),
  update: (tx, ref, change) => updateCustomer(tx, ref.storeId, ref.id, columns(change)),
  guards: {
    notByCustomer: "the customer may not until the account is active again",
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

function columns({ columns, snapshot, version, at }: Change) {
  const state = String(snapshot.value);
  const anonymized = state === "anonymized" ? { anonymizedAt: at } : {};
  return { ...columns, ...STATUS[state], ...anonymized, version, updatedAt: at };
}
