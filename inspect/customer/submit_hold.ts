/** Submits the form of a legal hold to the customer's actor, and returns the reason if it is refused. */
import { z } from "zod";
import type { Actors } from "../../actors/commands.ts";
import { HOLD_GROUNDS } from "../../domain/holds.ts";
import { uuid } from "../../domain/input.ts";
import type { STATUSES } from "../../http/statuses.ts";
import { traceparentOf } from "../../http/refusals.ts";
import { foreignForm, shownRefusal, singleLine } from "../forms.ts";
import type { InspectContext } from "../session.ts";
import type { HoldAttempt } from "./holds.tsx";

const shared = {
  version: z.coerce.number().int().positive(),
  note: z.string().max(2_000).default(""),
  confirmed: z.string().optional(),
};
const Form = z.discriminatedUnion("action", [
  z.object({
    ...shared,
    action: z.literal("place"),
    ground: z.enum(HOLD_GROUNDS).or(z.literal("")),
    until: z.string().max(20).default(""),
  }),
  z.object({ ...shared, action: z.literal("lift"), holdId: uuid }),
]);

/** Errors that the page shows above the form, which stays filled in. Every other error has its own page. */
const SHOWN_IN_PAGE = ["INVALID_INPUT", "REFUSED_IN_STATE", "CONFLICT", "UNAVAILABLE"] as const;

export interface RefusedHold {
  status: (typeof STATUSES)[(typeof SHOWN_IN_PAGE)[number]];
  attempt: HoldAttempt;
}

/**
 * @returns the ID of the hold that was placed or lifted; if it is refused, the message and the values of the form
 * @throws {DomainError} INVALID_INPUT: not a form of this page; NOT_FOUND; FORBIDDEN
 */
export async function submitHold(
  c: InspectContext,
  actors: Actors,
  customerId: string,
): Promise<{ done: string } | RefusedHold> {
  const { data: form } = Form.safeParse(await c.req.parseBody());
  if (!form) throw foreignForm();
  const note = singleLine(form.note);
  const input = form.action === "place" ? { input: { ground: form.ground, until: form.until, note } } : {};
  const refused = (status: RefusedHold["status"], message: string): RefusedHold => ({
    status,
    attempt: { done: false, message, ...input },
  });
  if (form.confirmed !== "yes") return refused(400, "Nothing was changed: check the box to confirm it.");
  if (form.action === "place" && form.ground === "") {
    return refused(400, "Nothing was changed: choose a ground.");
  }
  const command = form.action === "place"
    ? {
      type: "hold.place" as const,
      ground: form.ground as Exclude<typeof form.ground, "">,
      ...(form.until !== "" && { until: `${form.until}T00:00:00Z` }),
    }
    : { type: "hold.lift" as const, holdId: form.holdId };
  const { by } = c.var;
  try {
    const { ids } = await actors.send(
      { kind: "customer", storeId: by.storeId, id: customerId },
      { ...command, ...(note !== "" && { note }) },
      { by, traceparent: traceparentOf(c), expectedVersion: form.version },
    );
    return { done: ids.holdId ?? "" };
  } catch (error) {
    const { code, status, message } = shownRefusal(error, SHOWN_IN_PAGE);
    return refused(status, code === "CONFLICT" ? CONFLICT : message);
  }
}

const CONFLICT =
  "Conflict: the customer has changed since the page was loaded. Nothing was done. The page shows the present state; send " +
  "the form again if it is still right.";
