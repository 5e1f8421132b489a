/** OTLP/JSON receiver that collects the telemetry of a process under test. */

export interface ReceivedSpan {
  traceId: string;
  spanId: string;
  /** "" for a root span. */
  parentSpanId: string;
  name: string;
  /** 1 internal, 2 server, 3 client, 4 producer, 5 consumer. */
  kind: number;
  attributes: Record<string, unknown>;
  links: { traceId: string; spanId: string }[];
  failed: boolean;
}

export interface ReceivedPoint {
  attributes: Record<string, unknown>;
  /** For a histogram, its count. */
  value: number;
}

export interface Receiver extends AsyncDisposable {
  /** Variables for a process that exports to this receiver: spans soon, metrics every minute and at exit. */
  env: Record<string, string>;
  spans(): ReceivedSpan[];
  /** The newest points of each metric. */
  metrics(): Map<string, ReceivedPoint[]>;
  /** Resource attributes of each exporting process. */
  resources(): Record<string, unknown>[];
  /** Number of received log lines. */
  logs(): number;
  /** All received request bodies. */
  raw(): string;
}

// deno-lint-ignore no-explicit-any -- OTLP's JSON, of which only parts are read
type Json = any;

export function startReceiver(): Receiver {
  const bodies: { path: string; text: string }[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    bodies.push({ path: new URL(request.url).pathname, text: await request.text() });
    return Response.json({});
  });
  const received = (path: string, parts: string) =>
    bodies.filter((body) => body.path === path).flatMap(({ text }) => JSON.parse(text)[parts] as Json[]);
  return {
    env: {
      OTEL_DENO: "true",
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${server.addr.port}`,
      OTEL_SERVICE_NAME: "customer-service",
      OTEL_BSP_SCHEDULE_DELAY: "200",
    },
    spans: () =>
      received("/v1/traces", "resourceSpans").flatMap(({ scopeSpans }) =>
        scopeSpans.flatMap(({ spans }: Json) => spans.map(toSpan))
      ),
    metrics: () =>
      new Map(
        received("/v1/metrics", "resourceMetrics").flatMap(({ scopeMetrics }) =>
          scopeMetrics.flatMap(({ metrics }: Json) => metrics.map(toPoints))
        ),
      ),
    resources: () =>
      [...received("/v1/traces", "resourceSpans"), ...received("/v1/metrics", "resourceMetrics")].map((
        { resource },
      ) => toRecord(resource.attributes)),
    logs: () => received("/v1/logs", "resourceLogs").length,
    raw: () => bodies.map(({ text }) => text).join("\n"),
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

function toSpan(
  { traceId, spanId, parentSpanId = "", name, kind, attributes, links, status }: Json,
): ReceivedSpan {
  return {
    traceId,
    spanId,
    parentSpanId,
    name,
    kind,
    attributes: toRecord(attributes),
    links: links ?? [],
    failed: status?.code === 2,
  };
}

function toPoints({ name, gauge, sum, histogram }: Json): [string, ReceivedPoint[]] {
  const { dataPoints } = gauge ?? sum ?? histogram;
  return [
    name,
    dataPoints.map(({ attributes, asDouble, asInt, count }: Json) => ({
      attributes: toRecord(attributes),
      value: Number(asDouble ?? asInt ?? count),
    })),
  ];
}

/** Integers become bigint, which distinguishes them from floating point. */
function toRecord(attributes: Json[] = []): Record<string, unknown> {
  return Object.fromEntries(
    attributes.map(({ key, value }) => [
      key,
      "intValue" in value ? BigInt(value.intValue) : Object.values(value)[0],
    ]),
  );
}
