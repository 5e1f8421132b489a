/** Paginated list of the GDPR requests of a store. */
import { RIGHTS } from "../../actors/gdpr/types.ts";
import { text, uuid } from "../../domain/input.ts";
import { readClock } from "../../db/clock.ts";
import { searchRequests } from "../../db/gdpr_search.ts";
import { allow, answeredOf } from "../access.ts";
import { type Api, createRoute, json, refusals, z } from "../api.ts";
import type { RestOptions } from "../options.ts";
import { pageBody, pageOf, pageQuery, readCursor } from "../pagination.ts";
import { OUTCOMES, RequestSummarySchema, STATUSES, summaryOf } from "./request.ts";
import { tags } from "./requests.ts";

const listGdprRequests = createRoute({
  operationId: "listGdprRequests",
  method: "get",
  path: "/gdpr-requests",
  summary: "Lists the requests of the store, newest first",
  tags,
  middleware: allow("listGdprRequests"),
  request: {
    query: z.strictObject({
      type: z.enum(RIGHTS).optional(),
      status: z.enum(STATUSES).optional(),
      outcome: z.enum(OUTCOMES).optional(),
      proposed: z.enum(["true"]).optional().meta({
        description: "Only open requests with a proposal that a second person has to confirm or reject",
      }),
      identityVerified: z.enum(["true", "false"]).optional().meta({
        description: "Only open requests whose identity has been checked, or has not",
      }),
      waitsForDownload: z.enum(["true"]).optional().meta({
        description: "Only erasures that wait for the subject to download documents",
      }),
      undelivered: z.enum(["true"]).optional().meta({
        description: "Only requests with a notice to the subject that is due, overdue or expired",
      }),
      overdue: z.enum(["true", "false"]).optional().meta({
        description: "True: only open requests whose due date has passed. False: only all other requests",
      }),
      customerId: uuid.optional(),
      waitingFor: text(100).optional().meta({
        description: "Only requests that wait for this service's reply",
        example: "order-service",
      }),
      ...pageQuery,
    }),
  },
  responses: {
    200: json("A page of requests", pageOf(RequestSummarySchema).meta({ id: "GdprRequestPage" })),
    ...refusals(),
  },
});

/** Creation time of the last request of a page, in milliseconds since the epoch, and its ID. */
const Position = z.tuple([z.int().min(0).max(Date.UTC(9999, 0)), uuid]);

export function addListRoute(api: Api, { reader }: RestOptions): void {
  api.openapi(listGdprRequests, async (c) => {
    const { type, status, outcome, overdue, customerId, waitingFor, limit, cursor, ...flags } = c.req.valid(
      "query",
    );
    const filter = {
      types: type && [type],
      statuses: status && [status],
      outcomes: outcome && [outcome],
      overdue: overdue && overdue === "true",
      customerId,
      waitingFor,
      proposed: flags.proposed && true as const,
      undelivered: flags.undelivered && true as const,
      unidentified: flags.identityVerified && flags.identityVerified === "false",
      waitsForDownload: flags.waitsForDownload && true as const,
    };
    const position = readCursor(Position, cursor);
    const after = position && { at: new Date(position[0]), requestId: position[1] };
    const { storeId } = c.var.by;
    const page = { order: "NEWEST", limit: limit + 1, after } as const;
    const { rows, now } = await reader.read(storeId, async (sql) => {
      const now = await readClock(sql);
      return { rows: await searchRequests(sql, { storeId, filter, now }, page), now };
    });
    const body = pageBody(rows, limit, (row) => summaryOf(row, now), (last) => [
      last.createdAt.getTime(),
      last.requestId,
    ]);
    c.set("answered", answeredOf(body.items));
    return c.json(body, 200);
  });
}
