/** `/inspect/settings`: the settings of the store, with a form that works without a script. */
import type { Hono } from "@hono/hono";
import { z } from "zod";
import type { ActorEventRow } from "../../db/actor_events.ts";
import { findEvent, findEventsUpTo } from "../../db/actor_history.ts";
import { settingsOf, type VersionedSettings } from "../../db/store_settings.ts";
import { traceparentOf } from "../../http/refusals.ts";
import { allow } from "../access.ts";
import { foreignForm, shownRefusal } from "../forms.ts";
import type { Pages } from "../options.ts";
import { type InspectContext, type InspectEnv, inStore } from "../session.ts";
import { type FormValues, settingsFrom, valuesOf } from "./form.ts";
import { SettingsPage, type SubmittedForm } from "./page.tsx";

const PATH = "/settings";
/** Number of the newest changes that the page shows. */
const CHANGES = 20;
const sequence = z.coerce.number().int().positive().max(2 ** 31 - 1);
const Form = z.object({ version: z.coerce.number().int().min(0) }).catchall(z.string().max(10_000));

/** Errors that the page shows above the form, which stays filled in. Every other error has its own page. */
const SHOWN_IN_PAGE = ["INVALID_INPUT", "ALREADY_EXISTS", "CONFLICT", "UNAVAILABLE"] as const;

export function addSettings(app: Hono<InspectEnv>, pages: Pages): void {
  const { reader, actors, participants, requiresController } = pages;

  async function read(c: InspectContext) {
    const { storeId } = c.var.by;
    return await reader.read(storeId, async (sql) => {
      const settings = await settingsOf(sql, storeId);
      const changes = settings.version === 0
        ? []
        : await findEventsUpTo(sql, keyOf(storeId), { upTo: settings.version, limit: CHANGES });
      return { settings, changes };
    });
  }

  function show(
    c: InspectContext,
    { settings, changes }: { settings: VersionedSettings; changes: ActorEventRow[] },
    { values, attempt }: { values: FormValues; attempt?: SubmittedForm },
  ) {
    return <SettingsPage {...{ c, settings, changes, values, attempt, participants, requiresController }} />;
  }

  app.get(PATH, allow("read store settings", "READ_STORE_SETTINGS"), async (c) => {
    const reading = await read(c);
    const isSaved = await isOwnChange(c, pages);
    return c.html(
      show(c, reading, {
        values: valuesOf(reading.settings),
        ...(isSaved && { attempt: { done: true, message: "The settings were saved." } }),
      }),
    );
  });

  app.post(PATH, allow("change store settings", "CHANGE_STORE_SETTINGS"), async (c) => {
    const { data: form } = Form.safeParse(await c.req.parseBody());
    if (!form) throw foreignForm();
    const { version, ...values } = form;
    const settings = settingsFrom(values, participants);
    const refuse = async (status: 400 | 409 | 412 | 503, message: string) =>
      c.html(show(c, await read(c), { values, attempt: { done: false, message } }), status);
    if (typeof settings === "string") return await refuse(400, settings);
    const { by } = c.var;
    const { storeId } = by;
    try {
      const { version: saved } = await actors.send(
        { kind: "store_settings", storeId, id: storeId },
        { type: "settings.change", ...settings },
        { by, traceparent: traceparentOf(c), expectedVersion: version },
      );
      return c.redirect(inStore(c, `/inspect${PATH}?saved=${saved}`), 303);
    } catch (error) {
      const { code, status, message } = shownRefusal(error, SHOWN_IN_PAGE);
      return await refuse(status, code === "CONFLICT" ? CONFLICT : message);
    }
  });
}

const CONFLICT =
  "Conflict: someone else changed the settings first. Yours were not saved. The list of changes at the end of the page " +
  "has the other change; send the form again to replace it with what the form shows.";

const keyOf = (storeId: string) => ({ storeId, actorKind: "store_settings", actorId: storeId });

/** Whether the address names a change of the viewer's own. An address alone proves nothing. */
async function isOwnChange(c: InspectContext, { reader }: Pages): Promise<boolean> {
  const { data: saved } = sequence.safeParse(c.req.query("saved"));
  if (saved === undefined) return false;
  const { storeId, id } = c.var.by;
  const event = await reader.read(storeId, (sql) => findEvent(sql, keyOf(storeId), saved));
  return event?.principalId === id;
}
