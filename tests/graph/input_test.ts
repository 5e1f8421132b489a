/** Invalid input: the right code, no value in the message, and nothing written. */
import assert from "node:assert/strict";
import { buildSubgraphSchema } from "@apollo/subgraph";
import {
  getNamedType,
  type GraphQLArgument,
  type GraphQLInputObjectType,
  type GraphQLSchema,
  isInputObjectType,
  isNonNullType,
  isObjectType,
  parse,
} from "graphql";
import { ADDRESS } from "../actors/world.ts";
import { type AskOptions, bearer, JSON_BODY, registerShopper, startGraph, stored } from "./server.ts";

/** Placeholder for a personal value: no answer may contain it. */
const VALUE = "Lovelace";

const ADD = `mutation ($input: AddAddressInput!) { addAddress(input: $input) { address { id } } }`;
const UPDATE = `mutation ($input: UpdateProfileInput!) { updateProfile(input: $input) { customer { id } } }`;
const UPDATE_ADDRESS =
  `mutation ($id: ID!, $input: UpdateAddressInput!) { updateAddress(id: $id, input: $input) { address { id } } }`;
const DELETE = `mutation ($id: ID!) { deleteAddress(id: $id) { addressId } }`;
const VERSION =
  `mutation ($v: Int) { updateProfile(input: { firstName: "Ada" }, expectedVersion: $v) { customer { id } } }`;

type Case = [what: string, query: string, options: AskOptions, code: string, message: RegExp];

const add = (fields: Record<string, unknown>): AskOptions => ({
  variables: { input: { ...ADDRESS, ...fields } },
});
const update = (input: unknown): AskOptions => ({ variables: { input } });

const INVALID: Case[] = [
  [
    "a number for a string",
    ADD,
    add({ line1: 12345 }),
    "BAD_USER_INPUT",
    /"input\.line1".*String cannot represent/,
  ],
  ["an object for a string", ADD, add({ city: { [VALUE]: VALUE } }), "BAD_USER_INPUT", /"input\.city"/],
  [
    "a string for an object",
    ADD,
    update(`${VALUE}"; at "input.x"; `),
    "BAD_USER_INPUT",
    /"\$input".*to be an object/,
  ],
  ["a list for an object", ADD, update([VALUE]), "BAD_USER_INPUT", /"\$input"/],
  ["an unknown field", ADD, add({ street: VALUE }), "BAD_USER_INPUT", /Field "street" is not defined/],
  [
    "a missing field",
    ADD,
    update({ city: VALUE, country: "CH" }),
    "BAD_USER_INPUT",
    /Field "line1".*not provided/,
  ],
  ["no variables", ADD, {}, "BAD_USER_INPUT", /"\$input".*was not provided/],
  ["a NUL", ADD, add({ line1: `${VALUE}\0` }), "BAD_USER_INPUT", /line1 must not contain control characters/],
  ["half a surrogate pair", ADD, add({ city: `${VALUE}\ud800` }), "BAD_USER_INPUT", /city/],
  [
    "an over-long street",
    ADD,
    add({ line1: VALUE.repeat(26) }),
    "BAD_USER_INPUT",
    /line1 must have at most 200/,
  ],
  ["an empty city", ADD, add({ city: " " }), "BAD_USER_INPUT", /city must not be empty/],
  ["an unknown country", ADD, add({ country: "XX" }), "BAD_USER_INPUT", /country must be/],
  ["an email", UPDATE, update({ email: `${VALUE}@example.com` }), "BAD_USER_INPUT", /"email" is not defined/],
  [
    "an over-long name",
    UPDATE,
    update({ firstName: VALUE.repeat(32) }),
    "BAD_USER_INPUT",
    /firstName must have at most 100/,
  ],
  ["no phone number", UPDATE, update({ phone: VALUE }), "BAD_USER_INPUT", /phone must be/],
  ["no language", UPDATE, update({ locale: `${VALUE}_${VALUE}` }), "BAD_USER_INPUT", /locale must be/],
  [
    "several wrong fields",
    UPDATE,
    update({ locale: "!", phone: VALUE }),
    "BAD_USER_INPUT",
    /phone .*; locale /,
  ],
  ["a malformed UUID", DELETE, { variables: { id: VALUE } }, "BAD_USER_INPUT", /: id must be a UUID/],
  ["an object for an id", DELETE, { variables: { id: { a: VALUE } } }, "BAD_USER_INPUT", /"\$id"/],
  ["a number for an id", DELETE, { variables: { id: 5 } }, "BAD_USER_INPUT", /: id must be a UUID/],
  [
    "null past a default",
    `mutation ($id: ID = "x") { deleteAddress(id: $id) { addressId } }`,
    { variables: { id: null } },
    "BAD_USER_INPUT",
    /Argument "id"/,
  ],
  ["a version over 32 bits", VERSION, { variables: { v: 2 ** 31 } }, "BAD_USER_INPUT", /"\$v".*32-bit/],
  [
    "a version that is not a number",
    VERSION,
    { variables: { v: VALUE } },
    "BAD_USER_INPUT",
    /"\$v".*Int cannot represent/,
  ],
  ["a version below any", VERSION, { variables: { v: -1 } }, "CONFLICT", /version 1, not -1/],
  [
    "an unknown address",
    DELETE,
    { variables: { id: crypto.randomUUID() } },
    "NOT_FOUND",
    /Cannot find address/,
  ],
  [
    "an empty key",
    UPDATE,
    { ...update({}), headers: { "idempotency-key": "" } },
    "BAD_USER_INPUT",
    /Idempotency-Key/,
  ],
  [
    "a long key",
    UPDATE,
    { ...update({}), headers: { "idempotency-key": VALUE.repeat(32) } },
    "BAD_USER_INPUT",
    /Idempotency-Key/,
  ],
  [
    "a key beyond ASCII",
    UPDATE,
    { ...update({}), headers: { "idempotency-key": "clé" } },
    "BAD_USER_INPUT",
    /Idempotency-Key/,
  ],
  [
    "a literal of another type",
    `mutation { updateProfile(input: { phone: 7007 }) { customer { id } } }`,
    {},
    "GRAPHQL_VALIDATION_FAILED",
    /String cannot represent/,
  ],
  [
    "a literal for an object",
    `mutation { updateProfile(input: "${VALUE}") { customer { id } } }`,
    {},
    "GRAPHQL_VALIDATION_FAILED",
    /UpdateProfileInput/,
  ],
  [
    "an unknown field of the graph",
    `{ me { emial } }`,
    {},
    "GRAPHQL_VALIDATION_FAILED",
    /"emial" on type "Customer"\. Did you mean "email"\?$/,
  ],
  ["half a document", `{ me { id`, {}, "GRAPHQL_PARSE_FAILED", /Syntax Error/],
  [
    "a value in the wrong place",
    `{ me { id "${VALUE}" } }`,
    {},
    "GRAPHQL_PARSE_FAILED",
    /Syntax Error: Expected Name\.$/,
  ],
  [
    "a value that does not end",
    `{ me { id(a: "${VALUE}) } }`,
    {},
    "GRAPHQL_PARSE_FAILED",
    /Unterminated string/,
  ],
  ["a document of nothing", ``, {}, "GRAPHQL_PARSE_FAILED", /Syntax Error/],
  ["a subscription", `subscription { me { id } }`, {}, "BAD_USER_INPUT", /subscription/],
];

Deno.test("the graph refuses invalid input, and writes nothing", async (t) => {
  await using graph = await startGraph();
  const { as } = await registerShopper(graph.world);
  const before = await stored(graph.world);
  for (const [what, query, options, code, message] of INVALID) {
    await t.step(what, async () => {
      const { codes, errors, text } = await graph.ask(query, { as, ...options });
      assert.deepEqual(codes, [code], text);
      assert.match(errors?.[0]?.message ?? "", message);
      const shown = text.replaceAll(/"traceId":"[0-9a-f]{32}"/g, "");
      assert.doesNotMatch(shown, new RegExp(`${VALUE}|12345|7007|stack|\\.ts|node_modules`, "i"));
      assert.deepEqual(await stored(graph.world), before);
    });
  }
});

Deno.test("an address cannot lose its required fields: null leaves them unchanged", async () => {
  await using graph = await startGraph();
  const { as } = await registerShopper(graph.world);
  const input = { ...ADDRESS, isDefaultShipping: true, isDefaultBilling: true };
  const { data } = await graph.ask(ADD, { as, variables: { input } });
  const before = await stored(graph.world);
  for (const field of ["line1", "city", "country", "isDefaultShipping", "isDefaultBilling"]) {
    const variables = { id: data.addAddress.address.id, input: { [field]: null } };
    assert.equal((await graph.ask(UPDATE_ADDRESS, { as, variables })).errors, undefined);
  }
  assert.deepEqual(await stored(graph.world), before);
});

/** A call of a root field of the schema with one null. */
interface NullCase {
  field: string;
  query: string;
  variables: Record<string, unknown>;
}

/** Mutations that change the fixture for the cases after them; they have no input that may be null. */
const WITHOUT_NULLS = ["deleteAddress", "cancelGdprRequest", "proceedWithErasure"];

Deno.test("every input field and argument that may be null takes an explicit null", async (t) => {
  await using graph = await startGraph();
  const { as } = await registerShopper(graph.world);
  const { data } = await graph.ask(ADD, { as, variables: { input: ADDRESS } });
  const cases = nullCases(await readSchema(), { id: data.addAddress.address.id });
  for (const { field, query, variables } of cases) {
    await t.step(`${field} ${JSON.stringify(variables)}`, async () => {
      const { errors } = await graph.ask(query, { as, variables });
      assert.equal(errors, undefined);
    });
  }
  assert.ok(cases.length > 20, `${cases.length} nulls`);
});

async function readSchema(): Promise<GraphQLSchema> {
  const sdl = await Deno.readTextFile(new URL("../../graph/schema.graphql", import.meta.url));
  return buildSubgraphSchema([{ typeDefs: parse(sdl) }]);
}

/** A case for each argument, and each field of an input, that may be null: that one is null, all required ones are set. */
function nullCases(schema: GraphQLSchema, { id }: { id: string }): NullCase[] {
  /** A value for each required argument and field. */
  const values: Record<string, unknown> = { id, first: 1, ...ADDRESS, firstName: "Ada" };
  const requiredFields = (type: GraphQLInputObjectType) =>
    Object.fromEntries(
      Object.values(type.getFields())
        .filter(({ name, type }) => isNonNullType(type) || name === "firstName") // an update needs a field
        .map(({ name }) => [name, values[name]]),
    );
  const valueOf = ({ name, type }: GraphQLArgument) => {
    const inner = getNamedType(type);
    return isInputObjectType(inner) ? requiredFields(inner) : values[name];
  };
  const variablesOf = (args: readonly GraphQLArgument[]) => {
    const required = Object.fromEntries(
      args.filter(({ type }) => isNonNullType(type)).map((argument) => [argument.name, valueOf(argument)]),
    );
    const nullArguments = args.filter(({ type }) => !isNonNullType(type)).map(({ name }) => ({
      ...required,
      [name]: null,
    }));
    const nullFields = args.flatMap((argument) => {
      const input = getNamedType(argument.type);
      if (!isInputObjectType(input)) return [];
      return Object.values(input.getFields()).filter(({ type }) => !isNonNullType(type))
        .map(({ name }) => ({ ...required, [argument.name]: { ...requiredFields(input), [name]: null } }));
    });
    return [...nullArguments, ...nullFields];
  };
  return [schema.getQueryType()!, schema.getMutationType()!].flatMap((root) =>
    Object.values(root.getFields())
      .filter(({ name }) => !name.startsWith("_") && !WITHOUT_NULLS.includes(name)) // _entities and _service are the router's
      .flatMap(({ name, args, type }) => {
        assert.ok(isObjectType(getNamedType(type)));
        const declared = args.map((argument) => `$${argument.name}: ${argument.type}`).join(", ");
        const passed = args.map((argument) => `${argument.name}: $${argument.name}`).join(", ");
        const query = `${root.name.toLowerCase()} (${declared}) { ${name}(${passed}) { __typename } }`;
        return variablesOf(args).map((variables) => ({ field: name, query, variables }));
      })
  );
}

Deno.test("a refusal lists the wrong fields by their names in the input", async () => {
  await using graph = await startGraph();
  const { as } = await registerShopper(graph.world);
  const rectify =
    `mutation ($input: RequestRectificationInput!) { requestRectification(input: $input) { request { id } } }`;
  const cases: [query: string, options: AskOptions, fields: { field: string; message: string }[]][] = [
    [UPDATE, update({ phone: VALUE, locale: "!" }), [
      { field: "phone", message: "must be a phone number in E.164 form, +41445551234" },
      { field: "locale", message: "must be a BCP 47 language tag of at most 35 characters" },
    ]],
    [rectify, update({ phone: VALUE }), [
      { field: "phone", message: "must be a phone number in E.164 form, +41445551234" },
    ]],
    [ADD, add({ city: " " }), [{ field: "city", message: "must not be empty" }]],
    [ADD, add({ line1: 7 }), [{ field: "line1", message: "String cannot represent a non string value." }]],
    [UPDATE, update({ nickname: VALUE }), [
      { field: "input", message: 'Field "nickname" is not defined by type "UpdateProfileInput".' },
    ]],
    [DELETE, { variables: { id: VALUE } }, [{ field: "id", message: "must be a UUID" }]],
  ];
  for (const [query, options, fields] of cases) {
    const { codes, errors, text } = await graph.ask(query, { as, ...options });
    assert.deepEqual(codes, ["BAD_USER_INPUT"]);
    assert.deepEqual(errors?.[0]?.extensions?.fields, fields);
    assert.doesNotMatch(text, new RegExp(`${VALUE}|corrections|addressId|profile\\.update`));
  }
  const { errors } = await graph.ask('{ gdprRequest(id: "0190a1b2-0000-7000-8000-000000000000") { id } }', {
    as,
  });
  assert.deepEqual(Object.keys(errors?.[0]?.extensions ?? {}), ["code", "traceId"]);
});

type Body = [what: string, body: BodyInit, headers: Record<string, string>, status: number];

const QUERY = JSON.stringify({ query: "{ me { id } }" });
const BODIES: Body[] = [
  ["malformed JSON", `{"query": ${VALUE}`, JSON_BODY, 400],
  ["no body", "", JSON_BODY, 400],
  ["bytes that are not UTF-8", new Uint8Array([0x7b, 0xff, 0xfe]), JSON_BODY, 400],
  ["null", "null", JSON_BODY, 400],
  ["a string", `"${VALUE}"`, JSON_BODY, 400],
  ["a batch", `[${QUERY},${QUERY}]`, JSON_BODY, 400],
  ["an empty batch", "[]", JSON_BODY, 400],
  ["an unknown parameter", JSON.stringify({ query: "{ me { id } }", [VALUE]: 1 }), JSON_BODY, 400],
  ["a query that is not a string", `{"query":{"a":"${VALUE}"}}`, JSON_BODY, 400],
  [
    "variables that are not an object",
    JSON.stringify({ query: "{ me { id } }", variables: VALUE }),
    JSON_BODY,
    400,
  ],
  ["a form, as another site's page can send one", "query={me{id}}", {
    "content-type": "application/x-www-form-urlencoded",
  }, 415],
  ["plain text, as another site's page can send it", QUERY, { "content-type": "text/plain" }, 415],
  ["a multipart form", new FormData(), {}, 415],
  ["a bare document", "{ me { id } }", { "content-type": "application/graphql" }, 415],
  ["JSON that does not say so", new TextEncoder().encode(QUERY), {}, 415],
];

Deno.test("the graph refuses bodies that are not GraphQL requests in JSON", async (t) => {
  await using graph = await startGraph();
  const { as } = await registerShopper(graph.world);
  const authorization = await bearer(graph.issuer, as);
  for (const [what, body, headers, status] of BODIES) {
    await t.step(what, async () => {
      const reply = await graph.post(body, { ...headers, authorization });
      assert.deepEqual([reply.status, reply.codes, reply.data], [status, ["BAD_REQUEST"], undefined]);
      assert.doesNotMatch(reply.text, new RegExp(`${VALUE}|stack|\\.ts|JSON at`, "i"));
    });
  }
});

Deno.test("queries in URLs and requests of other sites are refused", async () => {
  await using graph = await startGraph();
  const { as } = await registerShopper(graph.world, { email: "ada@example.com" });
  const headers = { authorization: await bearer(graph.issuer, as), origin: "https://elsewhere.example" };
  for (const query of ["{ me { email } }", "mutation { updateProfile(input: {}) { customer { email } } }"]) {
    const reply = await fetch(`${graph.url}?query=${encodeURIComponent(query)}`, { headers });
    assert.deepEqual([reply.status, reply.headers.get("allow")], [405, "POST"]);
    const text = await reply.text();
    assert.match(text, /preferGetMethod: false in urql.*useGETForHashedQueries/);
    assert.doesNotMatch(text, /ada@/);
  }
  const preflight = await fetch(graph.url, {
    method: "OPTIONS",
    headers: {
      ...headers,
      "access-control-request-method": "POST",
      "access-control-request-headers": "content-type",
    },
  });
  assert.equal(preflight.status, 405);
  assert.equal(preflight.headers.get("access-control-allow-origin"), null);
  await preflight.body?.cancel();
});

Deno.test("errors of a request have a 4xx status for clients of application/graphql-response+json", async () => {
  await using graph = await startGraph();
  const { as } = await registerShopper(graph.world);
  const accept = { accept: "application/graphql-response+json" };
  for (const query of ["{ me {", "{ me { emial } }", ADD]) {
    assert.equal((await graph.ask(query, { as, headers: accept })).status, 400);
  }
  assert.equal((await graph.ask("{ me { id } }", { headers: accept })).status, 200);
});

Deno.test("a router may compress its requests, and an unknown encoding is refused with those that are accepted", async () => {
  await using graph = await startGraph();
  const { as } = await registerShopper(graph.world);
  const text = new Blob([JSON.stringify({ query: "{ me { id } }" })]).stream();
  const body = await new Response(text.pipeThrough(new CompressionStream("gzip"))).bytes();
  const headers = { ...JSON_BODY, authorization: await bearer(graph.issuer, as) };
  const reply = await graph.post(body, { ...headers, "content-encoding": "gzip" });
  assert.deepEqual(reply.data, { me: { id: as.id } });
  const refused = await fetch(graph.url, {
    method: "POST",
    body,
    headers: { ...headers, "content-encoding": "br" },
  });
  await refused.body?.cancel();
  assert.deepEqual([refused.status, refused.headers.get("accept-encoding")], [415, "gzip, deflate"]);
});
