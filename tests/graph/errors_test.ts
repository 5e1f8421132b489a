/** Unexpected failures as callers see them: masked. */
import assert from "node:assert/strict";
import { Hono } from "@hono/hono";
import { configure, type LogRecord, reset } from "@logtape/logtape";
import { openPool, type Sql } from "../../db/connect.ts";
import { createRequestLookups } from "../../db/gdpr_lookups.ts";
import { createLookups } from "../../db/lookups.ts";
import { createBodyReader } from "../../http/body_reader.ts";
import { createGraph } from "../../graph/mod.ts";
import { JSON_BODY, post, registerShopper, serve, startGraph, type TestGraph } from "./server.ts";

Deno.test("an unexpected error is masked, and logged once without values", async () => {
  await using graph = await startGraph();
  const { as } = await registerShopper(graph.world, { email: "ada@example.com" });
  await graph.world.admin`revoke execute on function lookup_customers(uuid[], uuid[]) from customer_reader`;
  await using logged = await captureLog();

  const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  const { status, data, errors } = await graph.ask("{ me { email } }", { as, headers: { traceparent } });
  assert.equal(status, 200);
  assert.deepEqual(data, { me: null });
  assert.deepEqual(errors, [{
    message: "Something went wrong on our side",
    locations: [{ line: 1, column: 3 }],
    path: ["me"],
    extensions: { code: "INTERNAL_SERVER_ERROR", traceId: "4bf92f3577b34da6a3ce929d0e0e4736" },
  }]);
  assert.deepEqual(logged.messages, ["Cannot answer me: PostgreSQL 42501 aclcheck_error"]);
});

Deno.test("an unreachable database is UNAVAILABLE", async () => {
  await using graph = await startGraph();
  const { as } = await registerShopper(graph.world);
  const sql = openPool(`postgres://customer_service@127.0.0.1:${unusedPort()}/none`, "customer_reader", 1);
  const authenticate = () => Promise.resolve(as);
  const unreachable = createGraph({
    ...resolved(graph, sql),
    authenticate,
    refusals: { report: () => Promise.resolve(), [Symbol.asyncDispose]: () => Promise.resolve() },
    bodies: createBodyReader({ proxies: 0 }),
    production: true,
  });
  const server = serve(new Hono().route("/graphql", unreachable));
  try {
    const url = `http://127.0.0.1:${server.addr.port}/graphql`;
    const { codes, data, text } = await post(url, JSON.stringify({ query: "{ me { id } }" }), JSON_BODY);
    assert.deepEqual([codes, data], [["UNAVAILABLE"], { me: null }]);
    assert.doesNotMatch(text, /ECONNREFUSED|127\.0\.0\.1/);
  } finally {
    await server.shutdown();
    await sql.end({ timeout: 0 });
  }
});

Deno.test("the error of a failing authenticator is masked like every other", async () => {
  await using graph = await startGraph();
  await using logged = await captureLog();
  const authenticate = () => Promise.reject(new TypeError("the cache has no such method"));
  const broken = createGraph({
    ...resolved(graph, graph.world.database.pool("customer_reader")),
    authenticate,
    refusals: { report: () => Promise.resolve(), [Symbol.asyncDispose]: () => Promise.resolve() },
    bodies: createBodyReader({ proxies: 0 }),
    production: true,
  });
  const server = serve(new Hono().route("/graphql", broken));
  try {
    const url = `http://127.0.0.1:${server.addr.port}/graphql`;
    const { codes, text } = await post(url, JSON.stringify({ query: "{ me { id } }" }), JSON_BODY);
    assert.deepEqual(codes, ["INTERNAL_SERVER_ERROR"]);
    assert.doesNotMatch(text, /cache/);
    assert.deepEqual(logged.messages, [
      "Cannot answer a request: TypeError: the cache has no such method at graph/errors_test.ts:58",
    ]);
  } finally {
    await server.shutdown();
  }
});

Deno.test("every error has the ID of a trace, and a new one where the request names none", async () => {
  await using graph = await startGraph();
  const { as } = await registerShopper(graph.world);
  const replies = [
    await graph.ask("{ me {", { as }),
    await graph.ask("{ me { emial } }", { as }),
    await graph.ask("{ me { email } }"),
    await graph.ask('mutation { updateProfile(input: { phone: "1" }) { customer { id } } }', { as }),
    await graph.post("{}", { "content-type": "text/plain" }),
    await graph.post("x".repeat(200_000), JSON_BODY),
  ];
  const ids = replies.map(({ errors }) => String(errors?.[0]?.extensions?.traceId));
  for (const id of ids) assert.match(id, /^[0-9a-f]{32}$/);
  assert.equal(new Set(ids).size, replies.length);
});

Deno.test("development suggests names of the schema, and production does not", async () => {
  for (const production of [false, true]) {
    await using graph = await startGraph({ production });
    const { as } = await registerShopper(graph.world);
    const { errors } = await graph.ask("{ me { emial } }", { as });
    const message = `Cannot query field "emial" on type "Customer".`;
    assert.equal(errors?.[0]?.message, production ? message : `${message} Did you mean "email"?`);
  }
});

/** Context of resolvers, over a pool of customer_reader. */
function resolved({ world: { actors } }: TestGraph, reader: Sql) {
  const exportLink = () => Promise.resolve(undefined);
  return {
    actors,
    lookups: createLookups(reader),
    requests: createRequestLookups(reader),
    exportLink,
    receiptLink: () => Promise.resolve("/receipts/none"),
  };
}

/** Captures what the graph logs from now on. */
async function captureLog(): Promise<{ messages: string[] } & AsyncDisposable> {
  const messages: string[] = [];
  const sink = (record: LogRecord) => messages.push(record.message.join(""));
  await configure({
    sinks: { sink },
    loggers: [
      { category: "customer-service", sinks: ["sink"], lowestLevel: "trace" },
      { category: ["logtape", "meta"], lowestLevel: "error" },
    ],
  });
  return { messages, [Symbol.asyncDispose]: reset };
}

function unusedPort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  listener.close();
  return listener.addr.port;
}
