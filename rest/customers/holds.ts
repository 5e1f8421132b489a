/** Legal holds on a customer: while one is in effect, no erasure starts. */
import type { StoreReader } from "../../db/store_reader.ts";
import { findHold, listHolds, type NotedHold } from "../../db/customer_holds.ts";
import { findCustomerFacts } from "../../db/customer_facts.ts";
import { DomainError } from "../../domain/errors.ts";
import { HOLD_LIMIT } from "../../actors/customers/customer_machine.ts";
import { HOLD_GROUNDS, LONGEST_HOLD_YEARS } from "../../domain/holds.ts";
import { uuid } from "../../domain/input.ts";
import { allow } from "../access.ts";
import { type Api, createRoute, json, refusals, z } from "../api.ts";
import { setAnswered } from "../changes.ts";
import { changeHeaders, commandContext, etag, versioned } from "../conditional_headers.ts";
import { note } from "../free_text.ts";
import type { RestOptions } from "../options.ts";
import { pageBody, pageOf, pageQuery, readCursor } from "../pagination.ts";
import { customerPath } from "./profile.ts";

const tags = ["Holds"];
const holdPath = customerPath.extend({ holdId: uuid });

const ground = z.enum(HOLD_GROUNDS).meta({
  description:
    "LEGAL_CLAIM: to establish, exercise or defend a legal claim. LEGAL_OBLIGATION: a law has the store keep " +
    "the data. AUTHORITY_ORDER: by an order of a court or an authority. PUBLIC_INTEREST: public health, archiving or " +
    "research.",
});
const by = z.object({
  id: z.uuid(),
  service: z.string().nullable().meta({ description: "Name of the service; null for staff" }),
});

const HoldSchema = z.object({
  holdId: z.uuid(),
  customerId: z.uuid(),
  ground,
  until: z.iso.datetime().nullable().meta({
    description: "When the hold ends by itself. Null: it stays until it is lifted",
  }),
  state: z.enum(["IN_EFFECT", "LIFTED", "EXPIRED"]),
  placedAt: z.iso.datetime(),
  placedBy: by,
  note: z.string().nullable().meta({
    description: "Free text of staff for other staff, until the erasure of the customer",
  }),
  endedAt: z.iso.datetime().nullable(),
  liftedBy: by.nullable(),
}).meta({ id: "Hold" });

const NewHoldSchema = z.strictObject({
  ground,
  until: z.iso.datetime({ offset: true, error: "must be a date with a time and a time zone of ISO 8601" })
    .nullish()
    .meta({
      description:
        `When the hold ends by itself: in the future, at most ${LONGEST_HOLD_YEARS} years ahead. ` +
        "Absent or null: the hold stays until it is lifted",
      example: "2027-06-30T22:00:00Z",
    }),
  note,
}).meta({ id: "NewHold" });

const LiftSchema = z.strictObject({ note }).meta({ id: "HoldLift" });

const listCustomerHolds = createRoute({
  operationId: "listCustomerHolds",
  method: "get",
  path: "/customers/{customerId}/holds",
  summary: "Lists the legal holds on a customer, newest first, those that have ended included",
  tags,
  middleware: allow("listCustomerHolds"),
  request: { params: customerPath, query: z.strictObject(pageQuery) },
  responses: {
    200: json("A page of holds", pageOf(HoldSchema).meta({ id: "HoldPage" })),
    ...refusals("NOT_FOUND"),
  },
});

const placeHold = createRoute({
  operationId: "placeHold",
  method: "post",
  path: "/customers/{customerId}/holds",
  summary: `Places a legal hold on a customer; at most ${HOLD_LIMIT} are in effect at once`,
  description:
    "While a hold is in effect, no erasure of the customer starts: one that is open enters `held`, and continues by " +
    "itself after the last hold has ended. A hold that is accepted is never lost to an erasure. An erasure that has " +
    "started cannot be stopped: the hold is then REFUSED_IN_STATE.",
  tags,
  middleware: allow("placeHold"),
  request: {
    params: customerPath,
    headers: changeHeaders,
    body: { required: true, content: { "application/json": { schema: NewHoldSchema } } },
  },
  responses: {
    201: {
      ...json("The new hold", HoldSchema),
      headers: versioned.headers.extend({ location: z.string() }),
    },
    ...refusals("NOT_FOUND", "REFUSED_IN_STATE", "CONFLICT"),
  },
});

const getHold = createRoute({
  operationId: "getHold",
  method: "get",
  path: "/customers/{customerId}/holds/{holdId}",
  summary: "Returns a legal hold, which may have ended",
  tags,
  middleware: allow("getHold"),
  request: { params: holdPath },
  responses: { 200: json("The hold", HoldSchema), ...refusals("NOT_FOUND") },
});

const liftHold = createRoute({
  operationId: "liftHold",
  method: "post",
  path: "/customers/{customerId}/holds/{holdId}/lift",
  summary: "Lifts a legal hold",
  description:
    "NOT_FOUND if the customer has no such hold in effect. A service may lift only holds that it has placed.",
  tags,
  middleware: allow("liftHold"),
  request: {
    params: holdPath,
    headers: changeHeaders,
    body: { required: false, content: { "application/json": { schema: LiftSchema } } },
  },
  responses: {
    200: { ...json("The ended hold", HoldSchema), ...versioned },
    ...refusals("NOT_FOUND", "REFUSED_IN_STATE", "CONFLICT"),
  },
});

export function addHoldRoutes(api: Api, { actors, reader }: RestOptions): void {
  api.openapi(listCustomerHolds, async (c) => {
    const { customerId } = c.req.valid("param");
    const { limit, cursor } = c.req.valid("query");
    const before = readCursor(z.int32().min(0), cursor);
    const { storeId } = c.var.by;
    const holds = await reader.read(storeId, async (sql) => {
      if (!await findCustomerFacts(sql, storeId, customerId)) return undefined;
      return await listHolds(sql, { storeId, customerId }, { limit: limit + 1, before });
    });
    if (!holds) throw new DomainError("NOT_FOUND", `Cannot find customer ${customerId}`);
    const body = pageBody(
      holds,
      limit,
      (hold) => bodyOf(customerId, hold),
      ({ placedSequence }) => placedSequence,
    );
    c.set("answered", { rows: body.items.length });
    return c.json(body, 200);
  });

  api.openapi(placeHold, async (c) => {
    const { customerId } = c.req.valid("param");
    const context = commandContext(c);
    const ref = { kind: "customer", storeId: context.by.storeId, id: customerId } as const;
    const answer = await actors.send(ref, { ...c.req.valid("json"), type: "hold.place" }, context);
    setAnswered(c, answer, context);
    const hold = await readHold(reader, ref, answer.ids.holdId ?? "");
    const location = `/customers/${customerId}/holds/${hold.holdId}`;
    return c.json(hold, 201, { etag: etag(answer.version), location });
  });

  api.openapi(getHold, async (c) => {
    const { customerId: id, holdId } = c.req.valid("param");
    return c.json(await readHold(reader, { storeId: c.var.by.storeId, id }, holdId), 200);
  });

  api.openapi(liftHold, async (c) => {
    const { customerId, holdId } = c.req.valid("param");
    const context = commandContext(c);
    const ref = { kind: "customer", storeId: context.by.storeId, id: customerId } as const;
    const answer = await actors.send(ref, { ...c.req.valid("json"), holdId, type: "hold.lift" }, context);
    setAnswered(c, answer, context);
    return c.json(await readHold(reader, ref, holdId), 200, { etag: etag(answer.version) });
  });
}

/** @throws {DomainError} NOT_FOUND */
async function readHold(
  reader: StoreReader,
  { storeId, id: customerId }: { storeId: string; id: string },
  holdId: string,
): Promise<z.output<typeof HoldSchema>> {
  const hold = await reader.read(storeId, (sql) => findHold(sql, { storeId, customerId }, holdId));
  if (!hold) throw new DomainError("NOT_FOUND", `Cannot find hold ${holdId} of customer ${customerId}`);
  return bodyOf(customerId, hold);
}

function bodyOf(customerId: string, hold: NotedHold): z.output<typeof HoldSchema> {
  const { holdId, ground, until, placedAt, endedAt, liftedBy, note } = hold;
  return {
    holdId,
    customerId,
    ground,
    until: until?.toISOString() ?? null,
    state: endedAt === null ? "IN_EFFECT" : liftedBy === null ? "EXPIRED" : "LIFTED",
    placedAt: placedAt.toISOString(),
    placedBy: { id: hold.placedBy, service: hold.placedByService },
    note,
    endedAt: endedAt?.toISOString() ?? null,
    liftedBy: liftedBy === null ? null : { id: liftedBy, service: hold.liftedByService },
  };
}
