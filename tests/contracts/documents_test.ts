/** The documents of the interfaces: valid, current, and guarded against breaks. */
import assert from "node:assert/strict";
import { Validator } from "@seriousme/openapi-schema-validator";
import { Ajv } from "ajv/dist/ajv.js";
import formats from "ajv-formats";
import { parse } from "yaml";
import asyncApiSchema from "@asyncapi/specs/schemas/3.0.0-without-$id.json" with { type: "json" };
import { TOPICS } from "../../events/topics.ts";
import { createDocuments } from "../../rest/documents/mod.ts";
import { describeApi } from "../../rest/documents/openapi.ts";
import { createRoutes } from "../../rest/mod.ts";
import type { RestOptions } from "../../rest/options.ts";
import { findBreaks } from "../../tasks/openapi_breaks.ts";
import { serve } from "../graph/server.ts";

const read = (path: string) => Deno.readTextFile(new URL(`../../docs/${path}`, import.meta.url));
const describe = () => describeApi(createRoutes({} as RestOptions));

Deno.test("the OpenAPI document is valid", async () => {
  const { valid, errors } = await new Validator().validate(JSON.parse(JSON.stringify(describe())));
  assert.ok(valid, JSON.stringify(errors));
});

Deno.test("every operation has an ID, a tag, a description and its errors", () => {
  const ids = new Set<string>();
  const used = new Set<string>();
  const document = describe();
  for (const [path, operations] of Object.entries(document.paths ?? {})) {
    for (const [method, operation] of Object.entries(operations)) {
      const { operationId, summary, tags, responses } = operation;
      assert.ok(operationId && summary && tags?.length, `${method} ${path}`);
      for (const tag of tags) used.add(tag);
      assert.ok(!ids.has(operationId), operationId);
      ids.add(operationId);
      const asked = (operation.parameters ?? []).map(({ name }: { name: string }) => name);
      assert.equal(asked.includes("if-none-match"), 304 in responses, operationId);
      for (const status of [400, 401, 403, 429, 500, 503]) {
        assert.ok(responses[status], `${operationId} ${status}`);
      }
    }
  }
  const described = document.tags?.filter(({ description }) => description).map(({ name }) => name);
  assert.deepEqual([...used].sort(), described?.sort());
});

Deno.test("the AsyncAPI document is valid, and has every topic", async () => {
  const committed = parse(await read("asyncapi.yaml"));
  const ajv = new Ajv({ strict: false, validateFormats: true });
  formats.default(ajv);
  const validate = ajv.compile(asyncApiSchema);
  assert.ok(validate(committed), JSON.stringify(validate.errors));
  const channels = Object.values(committed.channels as Record<string, { address: string }>);
  assert.deepEqual(channels.map(({ address }) => address), [...TOPICS.keys()]);
});

interface Document {
  // deno-lint-ignore no-explicit-any -- each case takes another part of it apart
  [key: string]: any;
}

const BASE: Document = {
  paths: {
    "/things/{id}": {
      get: {
        parameters: [{ in: "query", name: "size", required: false, schema: { enum: ["S", "L"] } }],
        responses: {
          200: { content: { "application/json": { schema: { $ref: "#/components/schemas/Thing" } } } },
        },
      },
      post: {
        requestBody: {
          content: { "application/json": { schema: { $ref: "#/components/schemas/NewThing" } } },
        },
      },
    },
  },
  components: {
    schemas: {
      Thing: {
        type: "object",
        description: "A thing",
        properties: { size: { enum: ["S", "L"] }, description: { type: "string" } },
        required: ["size"],
      },
      NewThing: { type: "object", properties: { size: { type: "string", maxLength: 9 } }, required: [] },
    },
  },
};

/** Changes and the number of breaks in each. */
const CHANGES: [name: string, breaks: number, change: (document: Document) => void][] = [
  ["nothing", 0, () => {}],
  ["other words", 0, ({ components: { schemas } }) => schemas.Thing.description = "Another text"],
  ["a new path", 0, ({ paths }) => paths["/others"] = { get: {} }],
  ["a new operation", 0, ({ paths }) => paths["/things/{id}"].delete = {}],
  ["a path that is gone", 1, ({ paths }) => delete paths["/things/{id}"]],
  ["an operation that is gone", 1, ({ paths }) => delete paths["/things/{id}"].get],
  ["a new answer", 0, ({ paths }) => paths["/things/{id}"].get.responses[404] = {}],
  ["an answer that is gone", 1, ({ paths }) => delete paths["/things/{id}"].get.responses[200]],
  [
    "a new parameter",
    0,
    ({ paths }) => paths["/things/{id}"].get.parameters.unshift({ in: "query", name: "x" }),
  ],
  [
    "a new parameter that is required",
    1,
    ({ paths }) => paths["/things/{id}"].get.parameters.push({ in: "query", name: "x", required: true }),
  ],
  ["a new body that may be left out", 0, ({ paths }) => {
    paths["/things/{id}"].get.requestBody = { required: false, content: {} };
  }],
  ["a new body that is required", 1, ({ paths }) => {
    paths["/things/{id}"].get.requestBody = { required: true, content: {} };
  }],
  ["a parameter that is gone", 1, ({ paths }) => paths["/things/{id}"].get.parameters = []],
  ["a parameter's value that is gone", 1, ({ paths }) => {
    paths["/things/{id}"].get.parameters[0].schema.enum = ["S"];
  }],
  [
    "a parameter's new value",
    0,
    ({ paths }) => paths["/things/{id}"].get.parameters[0].schema.enum.push("XL"),
  ],
  [
    "a new property",
    0,
    ({ components: { schemas } }) => schemas.Thing.properties.colour = { type: "string" },
  ],
  [
    "a property that is gone",
    1,
    ({ components: { schemas } }) => delete schemas.Thing.properties.description,
  ],
  ["a property of another type", 1, ({ components: { schemas } }) => {
    schemas.Thing.properties.description.type = "integer";
  }],
  [
    "an answer's new value",
    1,
    ({ components: { schemas } }) => schemas.Thing.properties.size.enum.push("XL"),
  ],
  ["what is no longer promised", 1, ({ components: { schemas } }) => schemas.Thing.required = []],
  ["what is promised more", 0, ({ components: { schemas } }) => schemas.Thing.required.push("description")],
  ["what is demanded more", 1, ({ components: { schemas } }) => schemas.NewThing.required.push("size")],
  [
    "a field of a body that is gone",
    1,
    ({ components: { schemas } }) => delete schemas.NewThing.properties.size,
  ],
  ["a shorter field", 1, ({ components: { schemas } }) => schemas.NewThing.properties.size.maxLength = 3],
];

for (const [name, breaks, change] of CHANGES) {
  Deno.test(`${name}: ${breaks === 0 ? "breaks nothing" : "breaks the contract"}`, () => {
    const changed = structuredClone(BASE);
    change(changed);
    assert.equal(findBreaks(BASE, changed).length, breaks, findBreaks(BASE, changed).join("\n"));
  });
}

Deno.test("the document and its page need no authentication and load nothing from other hosts", async () => {
  const server = serve(createDocuments(describe()));
  const origin = `http://127.0.0.1:${server.addr.port}`;
  try {
    const contract = await fetch(`${origin}/openapi.json`);
    assert.equal(contract.headers.get("content-encoding"), "gzip");
    assert.equal((await contract.json()).openapi, "3.1.0");
    const etag = contract.headers.get("etag") ?? "";
    const known = await fetch(`${origin}/openapi.json`, { headers: { "if-none-match": etag } });
    assert.deepEqual([known.status, await known.text()], [304, ""]);
    const plain = await fetch(`${origin}/openapi.json`, { headers: { "accept-encoding": "identity" } });
    assert.equal(plain.headers.get("content-encoding"), null);
    assert.equal((await plain.json()).openapi, "3.1.0");
    const { paths } = await (await fetch(origin)).json();
    assert.equal(paths["/openapi.json"], "Contract of the REST API");
    const index = await (await fetch(origin, { headers: { accept: "text/html" } })).text();
    for (const path of Object.keys(paths)) assert.ok(index.includes(`<a href="${path}">`), path);
    const page = await fetch(`${origin}/docs`);
    assert.match(page.headers.get("content-security-policy") ?? "", /default-src 'none'; script-src 'self'/);
    assert.doesNotMatch(await page.text(), /https?:\/\/|token/);
    for (const encoding of ["gzip", "identity"]) {
      const script = await fetch(`${origin}/docs/scalar.js`, { headers: { "accept-encoding": encoding } });
      assert.match(await script.text(), /^.{0,2000}scalar/is);
    }
  } finally {
    await server.shutdown();
  }
});

Deno.test("in development the page sends requests with the token of the demo", async () => {
  const response = await createDocuments(describe(), () => Promise.resolve("x.y.z")).request("/docs");
  assert.equal(response.headers.get("cache-control"), "no-store");
  assert.match(
    await response.text(),
    /securitySchemes&quot;:{&quot;bearer&quot;:{&quot;token&quot;:&quot;x\.y\.z/,
  );
});

Deno.test("what the page sends by default can match a customer", () => {
  // deno-lint-ignore no-explicit-any -- a document of OpenAPI
  const parameters: any[] = describe().paths?.["/customers"]?.get?.parameters ?? [];
  for (const { name, schema, example } of parameters) {
    assert.equal(example ?? schema.example, undefined, `${name} would be sent by default`);
  }
  const first = Object.fromEntries(parameters.map(({ name, schema }) => [name, schema.enum?.[0]]));
  assert.deepEqual([first.status, first.anonymized], ["ACTIVE", "false"]);
});
