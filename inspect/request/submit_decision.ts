/** Submits the decision of a form to the request's actor, and returns the reason if it is refused. */
import { z } from "zod";
import { DECISIONS } from "../../actors/gdpr/requests/available_decisions.ts";
import { publicRow } from "../../actors/gdpr/requests/public_events.ts";
import type { Actors } from "../../actors/commands.ts";
import { type ActorEventRow, findJournal } from "../../db/actor_events.ts";
import type { StoreReader } from "../../db/store_reader.ts";
import type { STATUSES } from "../../http/statuses.ts";
import { traceparentOf } from "../../http/refusals.ts";
import { HOLD_GROUNDS } from "../../domain/holds.ts";
import { REFUSAL_GROUNDS } from "../../domain/notices.ts";
import { foreignForm, shownRefusal, singleLine } from "../forms.ts";
import type { InspectContext } from "../session.ts";
import { eventLabel } from "../labels.ts";
import type { Attempt } from "./actions.tsx";

const Form = z.object({
  action: z.enum(DECISIONS),
  version: z.coerce.number().int().positive(),
  service: z.string().max(100).default(""),
  ground: z.enum(["", ...HOLD_GROUNDS]).or(z.enum(REFUSAL_GROUNDS)).default(""),
  reason: z.string().max(2_000).default(""),
  note: z.string().max(2_000).default(""),
  method: z.string().max(100).default(""),
  reference: z.string().max(1_000).default(""),
  confirmed: z.string().optional(),
});

type Form = z.output<typeof Form>;

/** Errors that the page shows above the form, which stays filled in. Every other error has its own page. */
const SHOWN_IN_PAGE = ["INVALID_INPUT", "REFUSED_IN_STATE", "CONFLICT", "UNAVAILABLE"] as const;

export interface Refused {
  status: (typeof STATUSES)[(typeof SHOWN_IN_PAGE)[number]];
  attempt: Attempt;
}

/**
 * Submits the form in the HTTP request.
 *
 * @returns the journal sequence of the decision; if it is refused, the message and the values of the form
 * @throws {DomainError} INVALID_INPUT: not a form of this page; NOT_FOUND; FORBIDDEN
 */
export async function submitDecision(
  c: InspectContext,
  { actors, reader }: { actors: Actors; reader: StoreReader },
  requestId: string,
): Promise<{ done: number } | Refused> {
  const { data: form } = Form.safeParse(await c.req.parseBody());
  if (!form) throw foreignForm();
  const { action: type, version, service, ground } = form;
  const [reason, note] = [singleLine(form.reason), singleLine(form.note)];
  const { method } = form;
  const reference = singleLine(form.reference);
  const refused = (status: Refused["status"], message: string): Refused => ({
    status,
    attempt: {
      done: false,
      message,
      input: { action: type, service, ground, reason, note, method, reference },
    },
  });
  if (form.confirmed !== "yes") {
    return refused(400, "Nothing was changed: check the box to confirm the decision.");
  }
  const { by } = c.var;
  const given = Object.entries({ service, ground, reason, note, method, reference }).filter(([, text]) =>
    text !== ""
  );
  const command = { type, ...Object.fromEntries(given) };
  try {
    const { version: done } = await actors.sendUnchecked(
      { kind: "gdpr_request", storeId: by.storeId, id: requestId },
      command,
      {
        by,
        traceparent: traceparentOf(c),
        expectedVersion: version,
      },
    );
    return { done };
  } catch (error) {
    const { code, status, message } = shownRefusal(error, SHOWN_IN_PAGE);
    return refused(
      status,
      code === "CONFLICT" ? await describeConflict(reader, c, requestId, form) : message,
    );
  }
}

/** Message about the events since the page was loaded. */
async function describeConflict(
  reader: StoreReader,
  { var: { by } }: InspectContext,
  requestId: string,
  { version }: Form,
): Promise<string> {
  const key = { storeId: by.storeId, actorKind: "gdpr_request", actorId: requestId };
  const events = await reader.read(
    by.storeId,
    (sql) => findJournal(sql, key, { after: version, limit: 4 }),
  );
  const changes = events.slice(0, 3).map(publicRow)
    .map((event) => `${eventLabel(event.eventType, event.about)} by ${actorLabel(event, by.id)}`);
  const since = changes.length === 0
    ? ""
    : ` Changes: ${changes.join(", ")}${events.length > 3 ? ", and more" : ""}.`;
  return `Conflict: someone else changed the request first. Your decision was not carried out.${since} ` +
    "The page shows the current state. If your decision is still right, confirm it again.";
}

function actorLabel({ principalId, principalType, principalService }: ActorEventRow, viewer: string): string {
  if (principalId === viewer) return "you";
  return {
    CUSTOMER: "the customer",
    STAFF: `staff ${principalId}`,
    SYSTEM: principalService ?? "a service",
  }[principalType];
}
