/** The shopper group as an actor: its row and its commands. */
import { z } from "zod";
import type { RowFacts } from "../../db/actor_reads.ts";
import { lockShopperGroup, type ShopperGroupRow } from "../../db/shopper_groups.ts";
import type { CommandRights } from "../runtime/authorization.ts";
import { type Behavior, type Change, type CommandOf, handler } from "../runtime/behavior.ts";
import { changedOnly, columnNames } from "../runtime/changes.ts";
import { shopperGroup } from "../../domain/shopper_group.ts";
import { shopperGroupMachine } from "./shopper_group_machine.ts";

const STAFF = ["STAFF", "SYSTEM"] as const;

const nothing = z.strictObject({});

const handlers = {
  "group.update": handler(
    STAFF,
    shopperGroup.partial(),
    ({ row }: { row: ShopperGroupRow }, input) => {
      const columns = changedOnly(row, input);
      const changedFields = columnNames(columns);
      return { event: { type: "group.update", changedFields }, changedFields, columns };
    },
  ),
  "group.delete": handler(STAFF, nothing, () => ({
    event: { type: "group.delete" },
    changedFields: ["deleted_at"],
  })),
};

export type ShopperGroupCommand =
  | CommandOf<typeof handlers>
  | { type: "group.create" } & z.input<typeof shopperGroup>;

export const shopperGroupBehavior: Behavior<ShopperGroupRow> = {
  kind: "shopper_group",
  noun: "shopper group",
  purposes: {
    "group.create": "create",
    "group.update": "change",
    "group.delete": "delete",
  } satisfies Record<ShopperGroupCommand["type"], string>,
  describeState: ({ value }) => `it is ${value}`,
  role: "CUSTOMER_MANAGER",
  creation: {
    type: "group.create",
    by: STAFF,
    input: shopperGroup,
    begin: (_scene, input: z.output<typeof shopperGroup>) => ({
      machine: shopperGroupMachine,
      columns: input,
      customerId: undefined,
    }),
  },
  handlers,
  customerOf: () => undefined,
  lock: (tx, ref) => lockShopperGroup(tx, ref.storeId, ref.id),
  restore(row) {
    const value = row.deletedAt ? "deleted" : "active";
    const snapshot = shopperGroupMachine.resolveState({ value, context: {} });
    return { row, version: row.version, machine: shopperGroupMachine, snapshot };
  },
  rows: {
    rowOf: ({ row }) => row && groupOf(row),
    change: ({ id }, change, found) => {
      const table = "shopper_groups";
      if (!found) return { row: { table, id, values: { ...columns(change), createdAt: change.at } } };
      return {
        row: { table, id, values: columns(change), seen: { version: found.version, partVersion: 1 } },
      };
    },
  },
  conflicts: {
    shopper_groups_name: "its name belongs to another group",
    shopper_groups_pkey: "it exists already",
  },
};

/** Who may send a command. */
export function rightsOfGroupCommand(type: ShopperGroupCommand["type"]): CommandRights {
  const { by } = type === "group.create" ? shopperGroupBehavior.creation : handlers[type];
  return { by, role: shopperGroupBehavior.role };
}

/** Dates are texts in a row that was read as JSON. */
function groupOf(row: RowFacts): ShopperGroupRow {
  const { deletedAt } = row;
  return { ...row, deletedAt: deletedAt === null ? null : new Date(String(deletedAt)) } as ShopperGroupRow;
}

function columns({ columns, snapshot, version, at }: Change) {
  const deleted = snapshot.value === "deleted" ? { deletedAt: at } : {};
  return { ...columns, ...deleted, version, updatedAt: at };
}
