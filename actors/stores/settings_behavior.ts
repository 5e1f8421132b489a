/** The settings of a store as an actor: one for each store, with the ID of the store, from its first change on. */
import { z } from "zod";
import {
  insertSettings,
  lockSettings,
  updateSettings,
  type VersionedSettings,
} from "../../db/store_settings.ts";
import { DomainError } from "../../domain/errors.ts";
import { storeSettings } from "../../domain/store_settings.ts";
import { type Behavior, type Change, type Columns, handler } from "../runtime/behavior.ts";
import { changedOnly, columnNames } from "../runtime/changes.ts";
import type { ActorRef } from "../runtime/protocol.ts";
import { settingsMachine } from "./settings_machine.ts";

const STAFF = ["STAFF", "SYSTEM"] as const;

const changes = storeSettings.partial();

export type SettingsCommand = { type: "settings.change" } & z.input<typeof changes>;

/** @param participants the services that a store may name as its participants */
export function createSettingsBehavior(participants: readonly string[]): Behavior<VersionedSettings> {
  const input = changes.refine(
    ({ participants: chosen }) => (chosen ?? []).every((service) => participants.includes(service)),
    {
      path: ["participants"],
      error: participants.length === 0
        ? "must be empty: GDPR_PARTICIPANTS names no service"
        : `must be services of GDPR_PARTICIPANTS: ${participants.join(", ")}`,
    },
  );
  return {
    kind: "store_settings",
    noun: "store settings",
    purposes: { "settings.change": "change" } satisfies Record<SettingsCommand["type"], string>,
    describeState: ({ value }) => `it is ${value}`,
    role: "PRIVACY_OFFICER",
    creation: {
      type: "settings.change",
      by: STAFF,
      input,
      begin({ ref }, given: z.output<typeof input>) {
        if (!isOfStore(ref)) throw new DomainError("NOT_FOUND", `Cannot find store settings ${ref.id}`);
        const stated = Object.entries(given).filter(([, value]) => value !== undefined && value !== null);
        return {
          machine: settingsMachine,
          columns: Object.fromEntries(stated) as Columns,
          customerId: undefined,
        };
      },
    },
    handlers: {
      "settings.change": handler(STAFF, input, ({ row }: { row: VersionedSettings }, given) => {
        const columns = changedOnly(row, given) as Columns;
        return { event: { type: "settings.change" }, changedFields: columnNames(columns), columns };
      }),
    },
    customerOf: () => undefined,
    lock: async (tx, ref) => isOfStore(ref) ? await lockSettings(tx, ref.storeId) : undefined,
    restore(row) {
      const snapshot = settingsMachine.resolveState({ value: "active", context: {} });
      return { row, version: row.version, machine: settingsMachine, snapshot };
    },
    rows: {
      insert: (tx, ref, change) =>
        insertSettings(tx, ref.storeId, { ...columnsOf(change), createdAt: change.at }),
      update: (tx, ref, change) => updateSettings(tx, ref.storeId, columnsOf(change)),
    },
    conflicts: { store_settings_pkey: "another caller has just changed them; send the change again" },
  };
}

const isOfStore = ({ storeId, id }: ActorRef) => id === storeId;

const columnsOf = ({ columns, version, at }: Change) => ({ ...columns, version, updatedAt: at });
