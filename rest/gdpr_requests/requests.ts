/** Opens a GDPR request on a customer's behalf, and shows one with everything that staff need to know of it. */
import { DomainError } from "../../domain/errors.ts";
import { uuid } from "../../domain/input.ts";
import { readStore, type Sql } from "../../db/connect.ts";
import { findParticipants, findRequest } from "../../db/gdpr_requests.ts";
import { allow, type Api, createRoute, json, refusals, z } from "../api.ts";
import { commandContext, creationHeaders, etag, versioned } from "../conditions.ts";
import type { RestOptions } from "../options.ts";
import { bodyOf, NewRequestSchema, RequestSchema } from "./request.ts";

export const requestPath = z.object({ requestId: uuid });
export const mayRead = allow("read GDPR requests", "PRIVACY_OFFICER");
export const tags = ["GDPR requests"];

const open = createRoute({
  operationId: "openGdprRequest",
  method: "post",
  path: "/gdpr-requests",
  summary: "Opens a request on a customer's behalf",
  description: "A customer has one open request of a type; opening it again gives that one.",
  tags,
  middleware: allow("open GDPR requests", "PRIVACY_OFFICER"),
  request: {
    headers: creationHeaders,
    body: { required: true, content: { "application/json": { schema: NewRequestSchema } } },
  },
  responses: {
    200: { ...json("The request of this type that is open already", RequestSchema), ...versioned },
    201: { ...json("Opened", RequestSchema), headers: versioned.headers.extend({ location: z.string() }) },
    ...refusals("NOT_FOUND", "ALREADY_EXISTS", "REFUSED_IN_STATE"),
  },
});

const show = createRoute({
  operationId: "getGdprRequest",
  method: "get",
  path: "/gdpr-requests/{requestId}",
  summary: "Shows a request with its participants",
  tags,
  middleware: mayRead,
  request: { params: requestPath },
  responses: {
    200: { ...json("The request", RequestSchema), ...versioned },
    ...refusals("NOT_FOUND"),
  },
});

export function addRequestRoutes(api: Api, { actors, sql }: RestOptions): void {
  api.openapi(open, async (c) => {
    const { customerId, type: right, corrections } = c.req.valid("json");
    const context = commandContext(c);
    const { storeId } = context.by;
    const command = { customerId, right, ...(corrections && { corrections }), type: "open" as const };
    const { id, changed } = await actors.send({ kind: "gdpr_request", storeId }, command, context);
    const request = await readRequest(sql, storeId, id);
    const headers = { etag: etag(request.version) };
    if (!changed) return c.json(request, 200, headers);
    return c.json(request, 201, { ...headers, location: `/gdpr-requests/${id}` });
  });

  api.openapi(show, async (c) => {
    const { requestId } = c.req.valid("param");
    const request = await readRequest(sql, c.var.by.storeId, requestId);
    return c.json(request, 200, { etag: etag(request.version) });
  });
}

/** @throws {DomainError} NOT_FOUND */
export async function readRequest(
  sql: Sql,
  storeId: string,
  requestId: string,
): Promise<z.output<typeof RequestSchema>> {
  const [row, participants] = await readStore(sql, storeId, (sql) =>
    Promise.all([
      findRequest(sql, storeId, requestId),
      findParticipants(sql, storeId, requestId),
    ]));
  if (!row) throw new DomainError("NOT_FOUND", `Cannot find request ${requestId}`);
  return bodyOf(row, participants, new Date());
}
