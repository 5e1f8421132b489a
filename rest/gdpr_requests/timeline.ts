/** Timeline of a GDPR request: its events. */
import { fieldNames } from "../../actors/runtime/changes.ts";
import { DomainError } from "../../domain/errors.ts";
import { type ActorEventRow, findJournal } from "../../db/actor_events.ts";
import { DOWNLOADED } from "../../actors/gdpr/exports/download_record.ts";
import { publicRow } from "../../actors/gdpr/requests/public_events.ts";
import { findRequest } from "../../db/gdpr_requests.ts";
import { allow } from "../access.ts";
import { type Api, createRoute, json, refusals, z } from "../api.ts";
import type { RestOptions } from "../options.ts";
import { pageBody, pageOf, pageQuery, readCursor } from "../pagination.ts";
import { StateSchema } from "./request.ts";
import { requestPath, tags } from "./requests.ts";

const EventSchema = z.object({
  sequence: z.int().meta({ format: "int32", description: "The request's version after the event" }),
  event: z.string().meta({
    description: "Names never change. Clients must ignore unknown names",
    examples: ["participant.confirm", "participant.asked_again", "grace.ended", "clock.at_risk"],
  }),
  service: z.string().nullable().meta({
    description:
      "The service that the event is about, by its name in `participants`. Null: the request as a whole",
    example: "order-service",
  }),
  document: z.string().nullable().meta({
    description: "The document that staff have downloaded, for export.downloaded",
    example: "access.json",
  }),
  stateBefore: StateSchema.nullable().meta({ description: "Null for the event that opened the request" }),
  stateAfter: StateSchema,
  by: z.object({
    id: z.uuid(),
    type: z.enum(["CUSTOMER", "STAFF", "SYSTEM"]),
    service: z.string().nullable().meta({
      description: "Name of the service of a SYSTEM principal; null: customer-service itself, or a person",
      example: "order-service",
    }),
  }),
  changedFields: z.array(z.string()),
  failure: z.string().nullable().meta({
    description: "Why the call to the service failed, for source.failed; the codes are those of `lastError`",
    example: "UNREACHABLE",
  }),
  reason: z.string().nullable().meta({
    description:
      "Free text of staff for the customer; null without a reason, and after the erasure of the customer",
  }),
  reasonRemoved: z.boolean().meta({
    description: "True if a reason was given and the erasure of the customer has removed it",
  }),
  note: z.string().nullable().meta({
    description:
      "Free text of staff for other staff; null without a note, and after the erasure of the customer",
  }),
  noteRemoved: z.boolean().meta({
    description: "True if a note was written and the erasure of the customer has removed it",
  }),
  at: z.iso.datetime(),
}).meta({ id: "GdprRequestEvent" });

const getGdprRequestTimeline = createRoute({
  operationId: "getGdprRequestTimeline",
  method: "get",
  path: "/gdpr-requests/{requestId}/timeline",
  summary: "Lists the events of a request, oldest first",
  tags,
  middleware: allow("getGdprRequestTimeline"),
  request: { params: requestPath, query: z.strictObject(pageQuery) },
  responses: {
    200: json("A page of events", pageOf(EventSchema).meta({ id: "GdprRequestTimeline" })),
    ...refusals("NOT_FOUND"),
  },
});

export function addTimelineRoute(api: Api, { reader }: RestOptions): void {
  api.openapi(getGdprRequestTimeline, async (c) => {
    const { requestId } = c.req.valid("param");
    const { limit, cursor } = c.req.valid("query");
    const after = readCursor(z.int32().min(0), cursor) ?? 0;
    const { storeId } = c.var.by;
    const actor = { storeId, actorKind: "gdpr_request", actorId: requestId };
    const [request, events] = await reader.read(storeId, (sql) =>
      Promise.all([
        findRequest(sql, storeId, requestId),
        findJournal(sql, actor, { after, limit: limit + 1 }),
      ]));
    if (!request) throw new DomainError("NOT_FOUND", `Cannot find request ${requestId}`);
    const body = pageBody(events, limit, bodyOf, ({ sequence }) => sequence);
    c.set("answered", { rows: body.items.length, customerId: request.customerId });
    return c.json(body, 200);
  });
}

function bodyOf(stored: ActorEventRow): z.output<typeof EventSchema> {
  const row = publicRow(stored);
  const isDownload = row.eventType === DOWNLOADED;
  return {
    sequence: row.sequence,
    event: row.eventType,
    service: isDownload ? null : row.about,
    document: isDownload ? row.about : null,
    stateBefore: row.stateBefore === null ? null : stateOf(row.stateBefore),
    stateAfter: stateOf(row.stateAfter),
    by: { id: row.principalId, type: row.principalType, service: row.principalService },
    changedFields: fieldNames(row.changedFields),
    failure: row.failure,
    reason: row.reason,
    reasonRemoved: row.reasonGiven && row.reason === null,
    note: row.note,
    noteRemoved: row.noteGiven && row.note === null,
    at: row.at.toISOString(),
  };
}

/** The journal stores a nested state as JSON. */
const stateOf = (text: string): z.output<typeof StateSchema> =>
  text.startsWith("{") ? JSON.parse(text) : text;
