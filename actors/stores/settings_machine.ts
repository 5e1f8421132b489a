/** The settings of a store: they can be changed at any time. */
import { setup } from "xstate";
import { sharedActions } from "../actions.ts";

/** Events of settings. */
export type SettingsEvent = { type: "settings.change" };

const settings = setup({ types: { events: {} as SettingsEvent }, actions: sharedActions });

const auditChange = { type: "audit", params: { action: "STORE_SETTINGS_CHANGED" } } as const;

export const settingsMachine = settings.createMachine({
  id: "store_settings@1",
  entry: [auditChange],
  initial: "active",
  states: { active: { on: { "settings.change": { actions: [auditChange] } } } },
});
