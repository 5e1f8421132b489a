/** Limits of one request, and what production hides. */
import assert from "node:assert/strict";
import { getIntrospectionQuery } from "graphql";
import { LIMITS } from "../../graph/limits.ts";
import { bearer, JSON_BODY, registerShopper, startGraph } from "./server.ts";

const repeat = (times: number, write: (index: number) => string) =>
  Array.from({ length: times }, (_, i) => write(i)).join(" ");
const nested = (levels: number) =>
  `{ me ${"{ ... on Customer ".repeat(levels)} { id } ${"}".repeat(levels)} }`;
const aliased = (times: number) => `{ ${repeat(times, (i) => `a${i}: me { id }`)} }`;

/** Forty fragments, each of which spreads the next one twice: two to the fortieth fields once expanded. */
const bomb = `{ me { ...F0 } } ${
  repeat(40, (i) => `fragment F${i} on Customer { ...F${i + 1} ...F${i + 1} }`)
}
  fragment F40 on Customer { id }`;

const TOO_MUCH: [what: string, query: string, message: RegExp][] = [
  ["a deep document", nested(LIMITS.depth), /deeper than 12 levels/],
  ["many aliases", aliased(LIMITS.aliases + 1), /more than 10 aliases/],
  [
    "aliases through a fragment",
    `{ ${repeat(6, (i) => `a${i}: me { ...F }`)} } fragment F on Customer { x: id y: id z: id }`,
    /aliases/,
  ],
  ["a wide document", `{ me { addresses { ${"id ".repeat(300)} } } }`, /more costly than 500/],
  ["fragments that multiply", bomb, /more costly than 500/],
  ["many tokens", `{ me { ${"id ".repeat(LIMITS.tokens)} } }`, /more tha[nt] 1000 tokens/],
  ["a long document", `{ me { id } } # ${"x".repeat(LIMITS.document)}`, /longer than 10000 characters/],
];

Deno.test("the graph refuses operations over the limits, before execution", async (t) => {
  await using graph = await startGraph();
  const { as } = await registerShopper(graph.world);
  for (const [what, query, message] of TOO_MUCH) {
    await t.step(what, async () => {
      const started = performance.now();
      const { data, errors } = await graph.ask(query, { as });
      assert.equal(data, undefined);
      assert.match(errors?.map((error) => error.message).join("\n") ?? "", message);
      assert.ok(performance.now() - started < 2_000);
    });
  }
});

Deno.test("a document over the cost limit is not validated, and any other one reports at most ten errors", async () => {
  await using graph = await startGraph({ production: true });
  const unknown = repeat(40, (at) => `f${at}`);
  const costly = [
    `{ me { ${"id ".repeat(400)} ${unknown} } }`,
    `{ ${"me { id } ".repeat(160)} ${unknown} }`,
    `{ me { ${"... { id } ".repeat(220)} ${unknown} } }`,
    `{ __schema { ${"types { name } ".repeat(160)} } ${unknown} }`,
    `{ ${unknown} } fragment F on Customer { ${"addresses { id } ".repeat(160)} }`,
  ];
  for (const query of costly) {
    const { errors } = await graph.ask(query);
    assert.deepEqual(errors?.map(({ message }) => message), [
      "Cannot run the operation: more costly than 500",
    ]);
  }
  const { errors } = await graph.ask(`{ me { ${unknown} } }`);
  assert.equal(errors?.filter(({ message }) => /Cannot query field/.test(message)).length, 10);
});

Deno.test("the graph accepts operations within the limits", async () => {
  await using graph = await startGraph();
  const { as } = await registerShopper(graph.world);
  for (
    const query of [
      nested(LIMITS.depth - 2),
      aliased(LIMITS.aliases),
      `{ me { id } } #${"x".repeat(LIMITS.document - 20)}`,
    ]
  ) {
    const { data, errors } = await graph.ask(query, { as });
    assert.equal(errors, undefined);
    assert.equal(Object.values<{ id: string }>(data)[0]?.id, as.id);
  }
});

Deno.test("a principal over the rate limit gets the time of the next request, and an unknown caller is not counted", async () => {
  const asked: string[] = [];
  await using graph = await startGraph({
    count: ({ id }) => Promise.resolve(asked.push(id) > 2 ? 7 : undefined),
  });
  const { as } = await registerShopper(graph.world);
  const stranger = await graph.ask(`{ me { id } }`);
  assert.deepEqual([stranger.status, stranger.codes], [200, ["UNAUTHENTICATED"]]);
  await graph.ask(`{ __typename }`);
  await graph.ask(`{ me { id } }`, { as });
  await graph.ask(`mutation ($id: ID!) { deleteAddress(id: $id) { addressId } }`, { as }); // counted although it is refused
  assert.deepEqual(asked, [as.id, as.id]);
  const { status, headers, data, errors, codes } = await graph.ask(`{ me { id } }`, { as });
  assert.deepEqual([status, headers.get("retry-after"), data, codes], [429, "7", null, ["RATE_LIMITED"]]);
  assert.match(errors?.[0]?.message ?? "", /try again in 7 s/);
  assert.equal(errors?.[0]?.extensions?.code, "RATE_LIMITED");
});

Deno.test("a caller without a token is refused before the variables are read", async () => {
  await using graph = await startGraph();
  const query =
    `query ($references: [_Any!]!) { ...F } fragment F on Query { _entities(representations: $references) { __typename } }`;
  for (const references of [undefined, 7, [null]]) {
    const { codes, data } = await graph.ask(query, { variables: { references } });
    assert.deepEqual([codes, data], [["UNAUTHENTICATED"], null]);
  }
});

Deno.test("references of a request share one cost limit, and each customer is loaded once", async () => {
  let loads = 0;
  await using graph = await startGraph({ onLoad: () => loads++ });
  const { as } = await registerShopper(graph.world, { email: "ada@example.com" });
  const ask = (selection: string, times: number, aliases = ["a"]) =>
    graph.ask(
      `query ($r: [_Any!]!) { ${
        aliases.map((alias) =>
          `${alias}: _entities(representations: $r) { ... on Customer { ${selection} } }`
        )
      } }`,
      { as, variables: { r: Array(times).fill({ __typename: "Customer", id: as.id }) } },
    );
  const wide = "id email firstName lastName addresses { id line1 } gdprRequests { nodes { id status } }";
  const refused = await ask(wide, 100);
  assert.deepEqual(refused.codes, ["BAD_USER_INPUT"]);
  assert.match(refused.errors?.[0]?.message ?? "", /must not be more than 2000/);
  assert.deepEqual((await ask(wide, 50, ["a", "b", "c"])).codes, ["BAD_USER_INPUT"]);
  loads = 0;
  const { data, errors } = await ask("id email", 100);
  assert.equal(errors, undefined);
  assert.deepEqual(data.a, Array(100).fill({ id: as.id, email: "ada@example.com" }));
  assert.equal(loads, 1);
});

Deno.test("a body over the limit is refused, with or without a declared length", async () => {
  await using graph = await startGraph();
  const { as } = await registerShopper(graph.world);
  const headers = { ...JSON_BODY, authorization: await bearer(graph.issuer, as) };
  const body = (length: number) => {
    const text = (filler: string) => JSON.stringify({ query: "{ me { id } }", extensions: { filler } });
    return text("x".repeat(length - text("").length));
  };
  const chunked = (text: string) =>
    new ReadableStream<Uint8Array>({
      start(controller) {
        for (const piece of text.match(/.{1,1000}/gs) ?? []) {
          controller.enqueue(new TextEncoder().encode(piece));
        }
        controller.close();
      },
    });
  for (const shape of [(text: string) => text, chunked]) {
    const over = await graph.post(shape(body(LIMITS.body + 1)), headers);
    assert.deepEqual([over.status, over.codes], [413, ["BAD_REQUEST"]]);
    const within = await graph.post(shape(body(LIMITS.body)), headers);
    assert.deepEqual(within.data, { me: { id: as.id } });
  }
});

Deno.test("production shows neither the schema nor GraphiQL", async () => {
  await using graph = await startGraph({ production: true });
  const { as } = await registerShopper(graph.world);
  for (
    const query of [getIntrospectionQuery(), `{ __type(name: "Customer") { name } }`, `{ _service { sdl } }`]
  ) {
    const { data, codes, text } = await graph.ask(query, { as });
    assert.equal(data, undefined);
    assert.deepEqual(new Set(codes), new Set(["GRAPHQL_VALIDATION_FAILED"]));
    assert.doesNotMatch(text, /firstName/);
  }
  const page = await fetch(graph.url, { headers: { accept: "text/html" } });
  assert.doesNotMatch(await page.text(), /html/);
  const { errors } = await graph.ask(`{ me { firstNam } }`, { as });
  assert.equal(errors?.[0]?.message, `Cannot query field "firstNam" on type "Customer".`);
  assert.deepEqual((await graph.ask(`{ me { __typename } }`, { as })).data, {
    me: { __typename: "Customer" },
  });
});

Deno.test("development shows the schema, and GraphiQL with a query and a token", async () => {
  await using graph = await startGraph({ demoToken: () => Promise.resolve("demo.token") });
  assert.match((await graph.ask(getIntrospectionQuery())).text, /firstName/);
  assert.match(
    (await graph.ask(`{ _service { sdl } }`)).data._service.sdl,
    /type Customer\s+@key\(fields: "id"\)/,
  );
  const page = await fetch(graph.url, { headers: { accept: "text/html" } });
  const html = await page.text();
  assert.match(html, /^\s*<!doctype html>/);
  assert.match(html, /shopperGroups/);
  assert.match(html, /Bearer demo\.token/);
});

Deno.test("an operation can be sent by its hash after it was sent in full", async () => {
  await using graph = await startGraph();
  const { as } = await registerShopper(graph.world);
  const headers = { ...JSON_BODY, authorization: await bearer(graph.issuer, as) };
  const query = "{ me { id } }";
  const sha256Hash = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(query)))
    .toHex();
  const extensions = { persistedQuery: { version: 1, sha256Hash } };
  const send = (body: object) => graph.post(JSON.stringify({ ...body, extensions }), headers);

  const unknown = await send({});
  assert.deepEqual([unknown.status, unknown.codes], [200, ["PERSISTED_QUERY_NOT_FOUND"]]);
  const mismatch = await send({ query: "{ me { email } }" });
  assert.deepEqual([mismatch.data, mismatch.codes], [undefined, ["PERSISTED_QUERY_MISMATCH"]]);
  assert.deepEqual((await send({ query })).data, { me: { id: as.id } });
  assert.deepEqual((await send({})).data, { me: { id: as.id } });
});
