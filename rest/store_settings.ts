/** `/store-settings`: the settings of the caller's store. */
import { settingsOf, type VersionedSettings } from "../db/store_settings.ts";
import { storeSettings } from "../domain/store_settings.ts";
import type { CommandContext } from "../actors/runtime/protocol.ts";
import { allow } from "./access.ts";
import { type Api, createApi, createRoute, json, refusals, z } from "./api.ts";
import { sendAndRead } from "./changes.ts";
import { changesOf } from "./changes_schema.ts";
import { changeHeaders, etag, isNotModified, readHeaders, versioned } from "./conditional_headers.ts";
import type { RestOptions } from "./options.ts";

const tags = ["Store settings"];

const SettingsSchema = storeSettings.extend({
  version: z.int().meta({
    format: "int32",
    description: "Increases with every change; also the ETag. 0: the store has set nothing",
  }),
  updatedAt: z.iso.datetime().nullable(),
}).meta({ id: "StoreSettings", description: "A setting that is null is not stated." });

const ChangesSchema = changesOf(storeSettings.partial()).meta({
  id: "StoreSettingsChanges",
  description: "Absent settings remain unchanged; null removes a setting.",
});

const show = createRoute({
  operationId: "getStoreSettings",
  method: "get",
  path: "/store-settings",
  summary: "Returns the settings of the store",
  tags,
  middleware: allow("getStoreSettings"),
  request: { headers: readHeaders },
  responses: {
    200: { ...json("The settings", SettingsSchema), ...versioned },
    304: { description: "The settings are at the version that If-None-Match names" },
    ...refusals(),
  },
});

const change = createRoute({
  operationId: "updateStoreSettings",
  method: "patch",
  path: "/store-settings",
  summary: "Updates the settings of the store",
  description:
    "Documents that are created afterwards contain the new statements. The grace period and the participants apply to " +
    "requests that are opened afterwards. ALREADY_EXISTS only if two callers change the settings of a store for the " +
    "first time at the same moment.",
  tags,
  middleware: allow("updateStoreSettings"),
  request: {
    headers: changeHeaders,
    body: { required: true, content: { "application/json": { schema: ChangesSchema } } },
  },
  responses: {
    200: { ...json("The updated settings", SettingsSchema), ...versioned },
    ...refusals("ALREADY_EXISTS", "CONFLICT"),
  },
});

export function createStoreSettings({ actors, reader }: RestOptions): Api {
  const api = createApi();
  const read = (_: string, storeId: string) => reader.read(storeId, (sql) => settingsOf(sql, storeId));

  api.openapi(show, async (c) => {
    const settings = await read("", c.var.by.storeId);
    const headers = { etag: etag(settings.version) };
    if (isNotModified(c, settings.version)) return c.body(null, 304, headers);
    return c.json(bodyOf(settings), 200, headers);
  });

  api.openapi(change, async (c) => {
    const { storeId } = c.var.by;
    const command = { ...c.req.valid("json"), type: "settings.change" as const };
    const send = (context: CommandContext) =>
      actors.sendAndReadWith(
        { kind: "store_settings", storeId, id: storeId } as const,
        command,
        context,
        (sql) => settingsOf(sql, storeId),
      );
    const { resource, headers } = await sendAndRead(c, send, read);
    return c.json(bodyOf(resource), 200, headers);
  });
  return api;
}

function bodyOf({ updatedAt, ...settings }: VersionedSettings): z.output<typeof SettingsSchema> {
  return { ...settings, updatedAt: updatedAt?.toISOString() ?? null };
}
