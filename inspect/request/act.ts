/** Takes a person's decision about a request to its actor, and says politely why one is not carried out. */
import { z } from "zod";
import { DomainError } from "../../domain/errors.ts";
import { asDomainError } from "../../db/errors.ts";
import { DECISIONS } from "../../actors/gdpr/requests/offers.ts";
import { publicRow } from "../../actors/gdpr/requests/public_events.ts";
import type { Actors } from "../../actors/commands.ts";
import { type ActorEventRow, findJournal } from "../../db/actor_events.ts";
import type { StoreReader } from "../../db/store_reader.ts";
import { STATUSES } from "../../http/statuses.ts";
import { newTraceparent, readTraceparent } from "../../lib/trace_context.ts";
import { lineOf } from "../forms.ts";
import type { InspectContext } from "../session.ts";
import { eventWords } from "../words.ts";
import type { Attempt } from "./actions.tsx";

const Form = z.object({
  action: z.enum(DECISIONS),
  version: z.coerce.number().int().positive(),
  service: z.string().max(100).default(""),
  reason: z.string().max(2_000).default(""),
  confirmed: z.string().optional(),
});

type Form = z.output<typeof Form>;

/** Errors that the page shows next to the form, with what was filled in; every other error is a page of its own. */
const SHOWN_IN_PAGE = ["INVALID_INPUT", "REFUSED_IN_STATE", "CONFLICT", "UNAVAILABLE"] as const;

export interface Refused {
  status: (typeof STATUSES)[(typeof SHOWN_IN_PAGE)[number]];
  attempt: Attempt;
}

/**
 * @returns what was refused and what was filled in; the decision's place in the journal where it is carried out
 * @throws {DomainError} INVALID_INPUT: it is none of our forms; NOT_FOUND, FORBIDDEN
 */
export async function act(
  c: InspectContext,
  { actors, reader }: { actors: Actors; reader: StoreReader },
  requestId: string,
): Promise<{ done: number } | Refused> {
  const { data: form } = Form.safeParse(await c.req.parseBody());
  if (!form) throw new DomainError("INVALID_INPUT", "Cannot take the form: it is not of this page");
  const { action: type, version, service } = form;
  const reason = lineOf(form.reason);
  const refused = (status: Refused["status"], message: string): Refused => ({
    status,
    attempt: { done: false, message, written: { action: type, service, reason } },
  });
  if (form.confirmed !== "yes") return refused(400, "Nothing has been done: tick the box to confirm it.");
  const { by } = c.var;
  const command = { type, ...(service !== "" && { service }), ...(reason !== "" && { reason }) };
  try {
    const { version: done } = await actors.sendUnchecked(
      { kind: "gdpr_request", storeId: by.storeId, id: requestId },
      command,
      {
        by,
        traceparent: readTraceparent(c.req.header("traceparent")) ?? newTraceparent(),
        expectedVersion: version,
      },
    );
    return { done };
  } catch (error) {
    const expected = asDomainError(error);
    const code = SHOWN_IN_PAGE.find((code) => code === expected?.code);
    if (!expected || !code) throw error;
    const status = STATUSES[code];
    const message = status === 412 ? await whoWasFaster(reader, c, requestId, form) : `${expected.message}.`;
    return refused(status, message);
  }
}

/** What has happened since the page was made. */
async function whoWasFaster(
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
  const told = events.slice(0, 3).map(publicRow)
    .map((event) => `${eventWords(event.eventType, event.about)} by ${whoDid(event, by.id)}`);
  const since = told.length === 0
    ? ""
    : ` Meanwhile: ${told.join(", ")}${events.length > 3 ? ", and more" : ""}.`;
  return `Somebody was faster, so nothing has been done.${since} ` +
    "This is how it is now; if it is still right, confirm it again.";
}

function whoDid({ principalId, principalType, principalService }: ActorEventRow, viewer: string): string {
  if (principalId === viewer) return "you";
  return {
    CUSTOMER: "the customer",
    STAFF: `staff ${principalId}`,
    SYSTEM: principalService ?? "a service",
  }[principalType];
}
