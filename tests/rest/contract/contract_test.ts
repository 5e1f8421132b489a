/**
 * Contract test of the OpenAPI document: calls every operation with valid, boundary and invalid input. Every response
 * must be one that the document describes.
 */
import assert from "node:assert/strict";
import { ruleOf, RULES } from "../../../rest/access.ts";
import { Ajv2020 } from "ajv/dist/2020.js";
import formats from "ajv-formats";
import fc from "fast-check";
import { createRoutes } from "../../../rest/mod.ts";
import type { RestOptions } from "../../../rest/options.ts";
import { describeApi } from "../../../rest/documents/openapi.ts";
import { ADDRESS, createGroup, register, tell } from "../../actors/world.ts";
import { startRest, type TestRest } from "../server.ts";
import { hostile, invalid, type Resolve, type Schema, valid, withSome } from "./inputs.ts";

interface Operation {
  operationId: string;
  parameters?: { in: string; name: string; required?: boolean; schema: Schema }[];
  requestBody?: { content: Record<string, { schema: Schema }> };
  responses: Record<string, { content?: Record<string, { schema: Schema }> }>;
}

/** Number of valid and of invalid requests to each operation. */
const RUNS = 10;
/** Maximum number of further valid requests until one is accepted: schemas do not express how fields depend on each other. */
const MAX_ATTEMPTS = 500;

const document = JSON.parse(JSON.stringify(describeApi(createRoutes({} as RestOptions))));
const resolve: Resolve = ({ $ref, ...schema }) =>
  $ref === undefined
    ? schema
    : resolve(document.components.schemas[$ref.slice("#/components/schemas/".length)]);

const operations = Object.entries<Record<string, Operation>>(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation }))
);

/** Excludes streams, which have their own tests. */
const isJson = ({ operation }: { operation: Operation }) =>
  Object.keys(operation.requestBody?.content ?? { "application/json": 0 }).includes("application/json");

Deno.test("every response conforms to the document, for valid and invalid requests", async (t) => {
  await using rest = await startRest();
  const validate = createValidators();
  for (const { path, method, operation } of operations.filter(isJson)) {
    await t.step(operation.operationId, async () => {
      const ids = await arrange(rest);
      const { right } = ruleOf(operation.operationId as keyof typeof RULES);
      const as = right ? rest.world.system : rest.world.officer; // services decide about no request
      let accepted = 0;
      const send = async ({ path, headers, body }: Input) => {
        const reply = await rest.call(method, path, { as, headers, body });
        const label = `${method} ${path} returns ${reply.status}`;
        assert.notEqual(reply.status, 500, label);
        const described = operation.responses[reply.status];
        assert.ok(described, `${label}, which is not documented`);
        const violation = validate(operation, reply.status, reply.headers.get("content-type"), reply.text);
        assert.equal(violation, undefined, `${label}: ${violation}`);
        if (reply.status < 400) accepted++;
      };
      const validRequest = request(operation, path, ids, "valid");
      const input = fc.oneof(
        { weight: 3, arbitrary: validRequest },
        { weight: 2, arbitrary: request(operation, path, ids, "invalid") },
      );
      await fc.assert(
        fc.asyncProperty(input, send),
        { numRuns: 2 * RUNS, interruptAfterTimeLimit: 20_000, markInterruptAsFailure: true },
      );
      if (RARELY_ACCEPTED.has(operation.operationId)) return;
      for (const more of fc.sample(validRequest, MAX_ATTEMPTS)) {
        if (accepted > 0) break;
        await send(more);
      }
      assert.ok(accepted > 0, "no request was accepted");
    });
  }
});

Deno.test("values that violate the schema are refused with INVALID_INPUT", async () => {
  await using rest = await startRest();
  const { id } = await register(rest.world);
  await fc.assert(
    fc.asyncProperty(hostile, async (value) => {
      const reply = await rest.call("PATCH", `/customers/${id}`, {
        as: rest.world.system,
        body: { email: value },
      });
      assert.deepEqual([reply.status, reply.body.code], [400, "INVALID_INPUT"]);
    }),
  );
});

/** Operations that succeed only in states or with IDs that random input hardly ever reaches. */
const RARELY_ACCEPTED = new Set([
  "reinstateCustomer",
  "liftHold",
  "verifyGdprRequestIdentity",
  "failGdprRequestIdentity",
  "requestGdprRequestInformation",
  "receiveGdprRequestInformation",
  "handOverGdprRequestDocuments",
  "releaseGdprRequest",
  "waiveGdprRequest",
  "waiveGdprNotice",
  "confirmGdprRequest",
  "rejectGdprRequest",
  "withdrawGdprRequest",
  "retryGdprRequest",
  "extendGdprRequest",
  "holdGdprRequest",
  "refuseGdprRequest",
  "cancelGdprRequest",
  "getGdprRequestExport",
  "getGdprRequestReceipt",
  "deleteAddress",
]);

/** Creates resources for every ID in a path. */
async function arrange({ world }: TestRest): Promise<Record<string, string[]>> {
  const [one, two] = [await register(world, { firstName: "Ada" }), await register(world)];
  const [first, second] = [await createGroup(world), await createGroup(world)];
  const { ids } = await tell(world, one, "address.add", ADDRESS);
  await tell(world, one, "group.assign", { groupId: first.id });
  const request = { kind: "gdpr_request" as const, storeId: world.storeId, id: crypto.randomUUID() };
  await tell(world, request, "open", { customerId: one.id, right: "ACCESS" });
  const [notice] = await world.admin`select notice_id from gdpr_notices`;
  const hold = await tell(world, one, "hold.place", { ground: "LEGAL_CLAIM" });
  return {
    customerId: [one.id, two.id],
    holdId: [hold.ids.holdId ?? ""],
    groupId: [first.id, second.id],
    addressId: [ids.addressId ?? ""],
    requestId: [request.id],
    noticeId: [notice?.noticeId],
  };
}

type Ids = Record<string, string[]>;

interface Input {
  path: string;
  headers: Record<string, string>;
  body: unknown;
}

/** Returns requests to an operation. Most paths name existing resources. */
function request(
  { parameters = [], requestBody }: Operation,
  path: string,
  ids: Ids,
  kind: "valid" | "invalid",
): fc.Arbitrary<Input> {
  const schema = requestBody?.content["application/json"]?.schema;
  const bad = hostile.map((value) => typeof value === "string" ? value : JSON.stringify(value));
  const of = (place: string) =>
    withSome(
      Object.fromEntries(
        parameters.filter((parameter) => parameter.in === place).map(({ name, schema }) => [
          name,
          fc.oneof(
            { weight: 4, arbitrary: valid(schema, resolve) },
            { weight: kind === "invalid" ? 4 : 0, arbitrary: bad },
          ),
        ]),
      ),
      [],
    );
  const places = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) => name);
  const known = fc.record(Object.fromEntries(places.map((name) => [
    name,
    fc.oneof(
      { weight: 8, arbitrary: fc.constantFrom(...ids[name] ?? []) },
      { weight: 1, arbitrary: fc.uuid() },
      { weight: kind === "invalid" ? 1 : 0, arbitrary: fc.constantFrom("x", "%00", "..%2F", "'") },
    ),
  ])));
  const bodies = schema === undefined
    ? fc.constant(undefined)
    : kind === "valid"
    ? withKnownIds(valid(schema, resolve), ids)
    : fc.oneof(invalid(schema, resolve), fc.constantFrom("{", "[1", "\u0000"));
  return fc.record({ known, query: of("query"), headers: of("header"), body: bodies }).map((parts) => {
    const query = new URLSearchParams(
      Object.entries(parts.query).map(([name, value]) => [name, String(value)]),
    );
    const filled = path.replaceAll(
      /\{(\w+)\}/g,
      (_, name) => String((parts.known as Record<string, string>)[name]),
    );
    return {
      path: query.size > 0 ? `${filled}?${query}` : filled,
      headers: printable(parts.headers),
      body: parts.body,
    };
  });
}

/** Replaces IDs in half of the bodies with those of existing resources. */
function withKnownIds(bodies: fc.Arbitrary<unknown>, ids: Ids): fc.Arbitrary<unknown> {
  return fc.tuple(bodies, fc.boolean()).map(([body, exists]) => {
    if (!exists || typeof body !== "object" || body === null) return body;
    const named = Object.keys(body).filter((name) => name in ids && !("email" in body));
    return { ...body, ...Object.fromEntries(named.map((name) => [name, ids[name]?.[0]])) };
  });
}

/** Restricts header values to printable ASCII, which clients can send. */
function printable(headers: Record<string, unknown>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map((
      [name, value],
    ) => [name, String(value).replaceAll(/[^\x20-\x7e]/g, "?").trim()]),
  );
}

/** Creates a function that validates a response against its schema and returns the violation, or undefined. */
function createValidators() {
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  formats.default(ajv);
  ajv.addSchema({ $id: "api", components: document.components });
  return ({ operationId, responses }: Operation, status: number, type: string | null, text: string) => {
    const content = responses[status]?.content;
    if (!content) return text === "" ? undefined : "a body where none is documented";
    const [mediaType = ""] = (type ?? "").split(";");
    const schema = content[mediaType]?.schema;
    if (!schema) return `the content type ${type} is not documented`;
    if (mediaType !== "application/json") return undefined;
    const key = `${operationId} ${status}`;
    const resolved = JSON.parse(JSON.stringify(schema).replaceAll('"#/components/', '"api#/components/'));
    const check = ajv.getSchema(key) ?? ajv.addSchema({ $id: key, ...resolved }).getSchema(key);
    return check?.(JSON.parse(text)) ? undefined : JSON.stringify(check?.errors);
  };
}
