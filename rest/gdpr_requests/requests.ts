/** GDPR requests: routes to open a request on a customer's behalf, and to read a request. */
import { DomainError } from "../../domain/errors.ts";
import { uuid } from "../../domain/input.ts";
import { readClock } from "../../db/clock.ts";
import { findParticipants, findRequest } from "../../db/gdpr_requests.ts";
import { findNotices } from "../../db/gdpr_notices.ts";
import type { ReadSql, StoreReader } from "../../db/store_reader.ts";
import { allow, authorizeOperation } from "../access.ts";
import { type Api, createRoute, json, refusals, z } from "../api.ts";
import { sendAndRead } from "../changes.ts";
import { creationHeaders, etag, isNotModified, readHeaders, versioned } from "../conditional_headers.ts";
import type { RestOptions } from "../options.ts";
import { bodyOf, NewRequestSchema, RequestSchema } from "./request.ts";

export const requestPath = z.object({ requestId: uuid });
export const tags = ["GDPR requests"];

const openGdprRequest = createRoute({
  operationId: "openGdprRequest",
  method: "post",
  path: "/gdpr-requests",
  summary: "Opens a request on behalf of a customer or of a person without an account",
  description:
    "A person has at most one open request of each type. If one is open, it is returned. A request without a checked " +
    "identity counts apart: it waits for the check, and delays no other request. A correction of the email also " +
    "requires the role CUSTOMER_MANAGER.",
  tags,
  middleware: allow("openGdprRequest"),
  request: {
    headers: creationHeaders,
    body: { required: true, content: { "application/json": { schema: NewRequestSchema } } },
  },
  responses: {
    200: { ...json("The request of this type that is already open", RequestSchema), ...versioned },
    201: {
      ...json("The new request", RequestSchema),
      headers: versioned.headers.extend({ location: z.string() }),
    },
    ...refusals("NOT_FOUND", "ALREADY_EXISTS", "REFUSED_IN_STATE"),
  },
});

const getGdprRequest = createRoute({
  operationId: "getGdprRequest",
  method: "get",
  path: "/gdpr-requests/{requestId}",
  summary: "Returns a request with its participants and notices",
  tags,
  middleware: allow("getGdprRequest"),
  request: { params: requestPath, headers: readHeaders },
  responses: {
    200: { ...json("The request", RequestSchema), ...versioned },
    304: { description: "The request is at the version that If-None-Match names" },
    ...refusals("NOT_FOUND"),
  },
});

export function addRequestRoutes(api: Api, { actors, reader }: RestOptions): void {
  api.openapi(openGdprRequest, async (c) => {
    const { type: right, ...fields } = c.req.valid("json");
    // A rectification changes the profile, so a service needs both rights.
    if (right === "RECTIFICATION" && c.var.by.type === "SYSTEM") authorizeOperation("updateCustomer", c);
    const ref = { kind: "gdpr_request", storeId: c.var.by.storeId } as const;
    const command = { ...fields, right, type: "open" as const };
    const { resource, answer, headers } = await sendAndRead(
      c,
      (context) =>
        actors.sendAndReadWith(ref, command, context, (sql, { id }) => findBody(sql, ref.storeId, id)),
      (id, storeId) => readRequest(reader, storeId, id),
    );
    c.set("answered", { ...c.var.answered, ...idsOf(resource) });
    if (!answer.changed) return c.json(resource, 200, headers);
    return c.json(resource, 201, { ...headers, location: `/gdpr-requests/${resource.requestId}` });
  });

  api.openapi(getGdprRequest, async (c) => {
    const { requestId } = c.req.valid("param");
    const request = await readRequest(reader, c.var.by.storeId, requestId);
    c.set("answered", idsOf(request));
    const headers = { etag: etag(request.version) };
    if (isNotModified(c, request.version)) return c.body(null, 304, headers);
    return c.json(request, 200, headers);
  });
}

function idsOf({ requestId, customerId }: { requestId: string; customerId: string }) {
  return { requestId, customerId };
}

/** @throws {DomainError} NOT_FOUND */
export async function readRequest(
  reader: StoreReader,
  storeId: string,
  requestId: string,
): Promise<z.output<typeof RequestSchema>> {
  return await reader.read(storeId, (sql) => findBody(sql, storeId, requestId));
}

/** @throws {DomainError} NOT_FOUND */
export async function findBody(
  sql: ReadSql,
  storeId: string,
  requestId: string,
): Promise<z.output<typeof RequestSchema>> {
  const [row, participants, notices, now] = await Promise.all([
    findRequest(sql, storeId, requestId),
    findParticipants(sql, storeId, requestId),
    findNotices(sql, storeId, [requestId]),
    readClock(sql),
  ]);
  if (!row) throw new DomainError("NOT_FOUND", `Cannot find request ${requestId}`);
  return bodyOf(row, { participants, notices }, now);
}
