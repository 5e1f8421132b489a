/** Telemetry of a production service: connected spans, metrics and log lines, without personal values. */
import assert from "node:assert/strict";
import { newTraceparent, traceIdOf } from "../../lib/trace_context.ts";
import { ADDRESS, createWorld, register } from "../actors/world.ts";
import { gatewayHeaders, MESH, portsOf, production, TRUSTING } from "../production.ts";
import { eventually } from "../eventually.ts";
import { asked, connect } from "../rpc/client.ts";
import { startService } from "../service.ts";
import { startReceiver } from "./receiver.ts";

const PERSON = {
  email: "quokka.wombat@marsupial.example",
  firstName: "Quokka",
  lastName: "Wombat",
  phone: "+41445559876",
};
const TOKEN = "ThatIsWhatAnExportsTokenLooksLike";
const GROUPS = "io.shopstar.customer.v1.CustomerService/GetCustomerGroups";

Deno.test("production exports no personal value, token or ID of a person, for accepted and refused requests", async () => {
  await using scene = await serve();
  const { world, receiver, ports, headers, ref } = scene;
  const secrets = [
    ...Object.values(PERSON),
    ...Object.values(ADDRESS).filter((value) => /[a-z]{4}/i.test(value)), // "8001" occurs in many numbers
    TOKEN,
  ];

  await ask(ports.http, headers, `{ me { email } }`);
  await ask(
    ports.http,
    headers,
    `mutation { updateProfile(input: { firstName: "Bilby", phone: "nonsense" }) { customer { id } } }`,
  );
  await ask(
    ports.http,
    headers,
    `mutation { addAddress(input: ${input({ ...ADDRESS, line2: "Numbat" })}) { address { id } } }`,
  );
  await ask(ports.http, headers, `{ me { Bilby } }`);
  await ask(ports.http, headers, `query Numbat { me { email } }`);
  for (
    const path of [
      `/exports/${TOKEN}`,
      `/exports/${TOKEN}/access.html?who=Numbat`,
      `/receipts/${TOKEN}`,
      `/Numbat?email=${PERSON.email}`,
    ]
  ) {
    await (await fetch(`http://127.0.0.1:${ports.http}${path}`, { headers })).body?.cancel();
  }
  using client = connect(ports.grpc);
  await client.groups(asked({ storeId: world.storeId, customerId: ref.id }), { metadata: MESH });
  await client.groups({ store_id: PERSON.email, customer_id: "Numbat" }, { metadata: MESH });
  await scene.service.stop("SIGTERM");

  const names = receiver.spans().map(({ name }) => name);
  for (
    const name of [
      "GET /exports/:token",
      "GET /exports/:token/:part",
      "GET /receipts/:token",
      "GET",
      "mutation",
      "customer address.add",
    ]
  ) {
    assert.ok(names.includes(name), `${name} in ${names}`);
  }
  const raw = receiver.raw().toLowerCase();
  const exported = [...secrets, "Bilby", "Numbat", ref.id].filter((value) =>
    raw.includes(value.toLowerCase())
  );
  assert.deepEqual(exported, []);
  assert.doesNotMatch(raw, /"url\.(full|path|query)"/);
  assert.equal(receiver.logs(), 0);
});

Deno.test("a gRPC call continues its caller's trace, down to the SQL statement", async () => {
  await using scene = await serve();
  const { world, receiver, ports, ref } = scene;
  using client = connect(ports.grpc);
  const traceparent = newTraceparent().replace(/00$/, "01");
  const request = asked({ storeId: world.storeId, customerId: ref.id });
  assert.equal((await client.groups(request, { metadata: { ...MESH, traceparent } })).status, "OK");
  assert.equal((await client.groups(request)).status, "UNAUTHENTICATED");
  await scene.service.stop("SIGTERM");

  const [, traceId, spanId] = traceparent.split("-");
  const trace = receiver.spans().filter((span) => span.traceId === traceId);
  const served = trace.find(({ name }) => name === GROUPS);
  assert.equal(served?.parentSpanId, spanId);
  assert.equal(served?.kind, 2);
  assert.deepEqual(served?.attributes, {
    "rpc.system.name": "grpc",
    "rpc.method": GROUPS,
    "rpc.response.status_code": "OK",
  });
  const statement = trace.find(({ parentSpanId }) => parentSpanId === served?.spanId);
  assert.equal(statement?.name, "SELECT lookup_customer_groups");
  const address = new URL(world.database.url);
  assert.deepEqual(statement?.attributes, {
    "server.address": address.hostname,
    "server.port": BigInt(address.port),
    "db.system.name": "postgresql",
    "db.operation.name": "SELECT",
    "db.stored_procedure.name": "lookup_customer_groups",
    "db.operation.batch.size": 1n,
  });
  const refused = receiver.spans().find(({ attributes }) => attributes["error.type"] === "UNAUTHENTICATED");
  assert.equal(refused?.name, GROUPS);
  assert.equal(refused?.failed, false, "a caller's mistake is not a failure of the service");
});

Deno.test("operations are counted by type and outcome, not by name, and an internal error takes precedence over a refusal", async () => {
  await using scene = await serve();
  const { ports, headers, world, receiver } = scene;
  const change =
    `mutation Bilby($input: UpdateProfileInput!) { updateProfile(input: $input) { customer { id } } }`;
  await ask(ports.http, headers, `query Bilby { me { email } }`);
  await ask(ports.http, {}, `{ me { email } }`);
  await ask(ports.http, headers, change, { input: { phone: "nonsense" } });
  await ask(ports.http, headers, change, { input: 1 });
  await world.admin`alter table actor_events rename to actor_events_away`;
  await ask(
    ports.http,
    headers,
    `mutation { updateProfile(input: { phone: "x" }) { customer { id } } addAddress(input: ${
      input(ADDRESS)
    }) { address { id } } }`,
  );
  await scene.service.stop("SIGTERM");

  const counted = receiver.metrics().get("customer_service.graphql.operation.duration") ?? [];
  const points = counted.map(({ attributes, value }) => [
    attributes["graphql.operation.type"],
    attributes["customer_service.outcome"],
    value,
  ]);
  assert.deepEqual(points.sort(), [
    ["mutation", "BAD_USER_INPUT", 2],
    ["mutation", "INTERNAL_SERVER_ERROR", 1],
    ["query", "OK", 1],
    ["query", "UNAUTHENTICATED", 1],
  ]);
  assert.equal(Object.keys(counted[0]!.attributes).length, 2);
});

Deno.test("requests are counted by route, sampled or not, and unknown methods and paths are grouped", async () => {
  await using scene = await serve({ OTEL_TRACES_SAMPLER: "always_off" });
  const { ports, headers, receiver } = scene;
  await ask(ports.http, headers, `{ me { email } }`);
  for (const [method, path] of [["GET", "/readyz"], ["NUMBAT", `/${PERSON.lastName}`]] as const) {
    await (await fetch(`http://127.0.0.1:${ports.http}${path}`, { method })).body?.cancel();
  }
  await scene.service.stop("SIGTERM");
  const counted = receiver.metrics().get("customer_service.http.request.duration") ?? [];
  const points = counted.map(({ attributes, value }) =>
    ["http.request.method", "http.route", "http.response.status_code"].map((name) => attributes[name])
      .concat(value).join(" ")
  );
  assert.deepEqual(points.sort(), ["GET /readyz 200 1", "POST /graphql 200 1", "_OTHER  404 1"]);
});

Deno.test("probes have no spans, and counts are integers", async () => {
  await using scene = await serve();
  const { ports, headers, receiver } = scene;
  for (const path of ["/healthz", "/readyz", "/healthz"]) {
    await (await fetch(`http://127.0.0.1:${ports.http}${path}`)).body?.cancel();
  }
  using client = connect(ports.grpc);
  await eventually(async () => assert.equal(await client.health(), "SERVING"));
  await ask(ports.http, headers, `{ me { email } }`);
  await scene.service.stop("SIGTERM");
  const spans = receiver.spans();
  assert.deepEqual(spans.filter(({ name }) => name === "POST /graphql").length, 1);
  assert.deepEqual(spans.filter(({ name }) => /healthz|readyz|Health|^GET$/.test(name)), []);
  const points = receiver.metrics().get("customer_service.http.request.duration") ?? [];
  const counts = points.map(({ attributes, value }) => [
    attributes["http.route"],
    attributes["http.response.status_code"],
    value,
  ]);
  assert.deepEqual(counts.sort(), [["/graphql", 200n, 1], ["/healthz", 200n, 2], ["/readyz", 200n, 1]]);
});

Deno.test("a log line within a trace contains its IDs", async () => {
  await using scene = await serve();
  const { ports, headers, world } = scene;
  const traceparent = newTraceparent();
  await world.admin`alter table actor_events rename to actor_events_away`;
  await ask(
    ports.http,
    { ...headers, traceparent },
    `mutation { updateProfile(input: { firstName: "Bilby" }) { customer { id } } }`,
  );
  const { output } = await scene.service.stop("SIGTERM");
  const lines = output.trim().split("\n").map((line) => JSON.parse(line));
  const complaint = lines.find(({ message }) => /Cannot answer updateProfile/.test(message));
  assert.equal(complaint.trace_id, traceIdOf(traceparent));
  assert.match(complaint.span_id, /^[0-9a-f]{16}$/);
  assert.equal(lines.find(({ message }) => /Ready/.test(message)).trace_id, undefined);
});

Deno.test("the last telemetry is exported when the service exits", async () => {
  await using scene = await serve({ OTEL_BSP_SCHEDULE_DELAY: "60000" });
  await ask(scene.ports.http, scene.headers, `{ me { email } }`);
  assert.equal((await scene.service.stop("SIGTERM")).code, 0);
  assert.ok(scene.receiver.spans().some(({ name }) => name === "POST /graphql"));
  assert.ok(scene.receiver.metrics().has("db.client.operation.duration"));
});

Deno.test("an unreachable or unresponsive collector delays neither requests nor the exit", async () => {
  using silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  for (const port of [1, silent.addr.port]) {
    await using scene = await serve({
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
      OTEL_EXPORTER_OTLP_TIMEOUT: "1000",
      OTEL_METRIC_EXPORT_INTERVAL: "2500", // the next export is always about to begin
    });
    const { data } = await ask(scene.ports.http, scene.headers, `{ me { email } }`);
    assert.equal(data.me.email, PERSON.email);
    const signaledAt = Date.now();
    assert.equal((await scene.service.stop("SIGTERM")).code, 0);
    assert.ok(Date.now() - signaledAt < 10_000);
  }
});

/** A production service that exports to a receiver, and a shopper. */
async function serve(env: Record<string, string> = {}) {
  await using stack = new AsyncDisposableStack();
  const world = stack.use(await createWorld());
  const receiver = stack.use(startReceiver());
  const ref = await register(world, PERSON);
  const service = stack.use(startService({
    ...production(world.database.url),
    ...TRUSTING,
    ...receiver.env,
    ...env,
  }));
  const ports = await portsOf(service);
  const running = stack.move();
  const headers = gatewayHeaders(ref);
  return {
    world,
    receiver,
    service,
    ports,
    ref,
    headers,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

function input(fields: Record<string, string>): string {
  return JSON.stringify(fields).replace(/"(\w+)":/g, "$1:");
}

// deno-lint-ignore no-explicit-any -- the response to any query
type Answer = any;

async function ask(
  port: number,
  headers: Record<string, string>,
  query: string,
  variables: Record<string, unknown> = {},
): Promise<Answer> {
  const response = await fetch(`http://127.0.0.1:${port}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify({ query, variables }),
  });
  return await response.json();
}
