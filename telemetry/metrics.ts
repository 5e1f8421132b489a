/** Metrics: every instrument of the service, in one table, and how values reach them. Deno exports them. */
import { type Attributes, createNoopMeter, metrics } from "@opentelemetry/api";

export type { Attributes };

interface Instrument {
  kind: "histogram" | "counter" | "gauge" | "sum";
  /** In UCUM, as OpenTelemetry writes it. */
  unit: string;
  description: string;
  /** A histogram's bounds. */
  bounds?: readonly number[];
}

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const MINUTES = [0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 900];

/** Standard names where there is one (semantic conventions 1.40), else under `customer_service`. */
export const INSTRUMENTS = {
  "rpc.server.call.duration": {
    kind: "histogram",
    unit: "s",
    description: "Calls of CustomerService, by method and status",
    bounds: SECONDS,
  },
  "rpc.client.call.duration": {
    kind: "histogram",
    unit: "s",
    description: "Calls of the peers' DataSubjectService, by peer and status",
    bounds: MINUTES,
  },
  "db.client.operation.duration": {
    kind: "histogram",
    unit: "s",
    description: "Lookup statements and commands' transactions",
    bounds: SECONDS,
  },
  "db.client.connection.count": {
    kind: "sum",
    unit: "{connection}",
    description: "Connections to PostgreSQL by pool, idle or used",
  },
  "db.client.connection.max": {
    kind: "sum",
    unit: "{connection}",
    description: "How many connections a pool may have",
  },
  "db.client.connection.pending_requests": {
    kind: "sum",
    unit: "{request}",
    description: "What waits for a connection of a pool",
  },
  "customer_service.lookup.batch.size": {
    kind: "histogram",
    unit: "{question}",
    description: "Questions that one lookup statement answers",
    bounds: [1, 2, 4, 8, 16, 32, 64, 128, 256, 500],
  },
  "customer_service.http.request.duration": {
    kind: "histogram",
    unit: "s",
    description: "HTTP requests by route, method and status, until the answer begins",
    bounds: SECONDS,
  },
  "customer_service.load.refused": {
    kind: "counter",
    unit: "{request}",
    description: "Requests and calls that were refused because there was too much to do",
  },
  "customer_service.graphql.operation.duration": {
    kind: "histogram",
    unit: "s",
    description: "GraphQL operations by type and outcome: OK or an error's code",
    bounds: SECONDS,
  },
  "customer_service.command.duration": {
    kind: "histogram",
    unit: "s",
    description: "Commands by actor, type and outcome: OK or the error's code",
    bounds: SECONDS,
  },
  "customer_service.effect.duration": {
    kind: "histogram",
    unit: "s",
    description: "Performed effects by type and outcome: done, more, failed or poisoned",
    bounds: MINUTES,
  },
  "customer_service.timer.fired": {
    kind: "counter",
    unit: "{timer}",
    description: "Timers by outcome: fired, late or failed",
  },
  "customer_service.outbox.published": {
    kind: "counter",
    unit: "{event}",
    description: "Events brought to the sink, by topic",
  },
  "customer_service.outbox.failures": {
    kind: "counter",
    unit: "{attempt}",
    description: "Attempts to publish that have failed",
  },
  "customer_service.outbox.backlog": {
    kind: "gauge",
    unit: "{event}",
    description: "Events that wait to be published",
  },
  "customer_service.outbox.oldest_age": {
    kind: "gauge",
    unit: "s",
    description: "How long the oldest of them has waited",
  },
  "customer_service.effects.due": {
    kind: "gauge",
    unit: "{effect}",
    description: "Effects whose time has come, those under way not counted",
  },
  "customer_service.effects.poisoned": {
    kind: "gauge",
    unit: "{effect}",
    description: "Effects that were given up and wait for somebody to look",
  },
  "customer_service.timers.due": {
    kind: "gauge",
    unit: "{timer}",
    description: "Timers whose time has come",
  },
  "customer_service.timers.oldest_age": {
    kind: "gauge",
    unit: "s",
    description: "How late the latest of them is",
  },
  "customer_service.gdpr.requests": {
    kind: "gauge",
    unit: "{request}",
    description: "GDPR requests by type and status",
  },
  "customer_service.gdpr.requests.held": {
    kind: "gauge",
    unit: "{request}",
    description: "Erasures under a legal hold",
  },
  "customer_service.gdpr.requests.residue": {
    kind: "gauge",
    unit: "{request}",
    description: "Erasures that wait because their re-scan has found something",
  },
  "customer_service.gdpr.requests.at_risk": {
    kind: "gauge",
    unit: "{request}",
    description: "Open requests whose due date is near, by type",
  },
  "customer_service.gdpr.requests.overdue": {
    kind: "gauge",
    unit: "{request}",
    description: "Open requests behind their due date, by type",
  },
  "customer_service.gdpr.participants.overdue": {
    kind: "gauge",
    unit: "{participant}",
    description: "Participants that have not answered for days, by service",
  },
} as const satisfies Record<string, Instrument>;

type Kind<K extends Instrument["kind"]> = {
  [Name in keyof typeof INSTRUMENTS]: (typeof INSTRUMENTS)[Name]["kind"] extends K ? Name : never;
}[keyof typeof INSTRUMENTS];

const meter = metrics.getMeter("customer-service");

/** Whether anybody collects metrics; Deno decides that as the process starts. */
export const metering = meter !== createNoopMeter();

const made = new Map<string, (value: number, attributes?: Attributes) => void>();

/** A measured value: of a duration in seconds, or of a number of things. */
export function record(name: Kind<"histogram" | "counter">, value: number, attributes?: Attributes): void {
  if (!metering) return;
  let take = made.get(name);
  if (!take) made.set(name, take = make(name));
  take(value, attributes);
}

function make(name: Kind<"histogram" | "counter">) {
  const { kind, unit, description, bounds }: Instrument = INSTRUMENTS[name];
  if (kind === "counter") {
    const counter = meter.createCounter(name, { unit, description });
    return counter.add.bind(counter);
  }
  const advice = { explicitBucketBoundaries: [...bounds ?? []] };
  const histogram = meter.createHistogram(name, { unit, description, advice });
  return histogram.record.bind(histogram);
}

/** Seconds since a moment of `performance.now()`. */
export function secondsSince(started: number): number {
  return (performance.now() - started) / 1_000;
}

/** What stands at a moment, by attributes. */
export type Standing = Partial<Record<Kind<"gauge" | "sum">, { value: number; attributes?: Attributes }[]>>;

/**
 * Asks `look` at every export for what stands in the named instruments, until the disposal. Where it fails nothing is
 * exported of them.
 */
export function observe(
  names: readonly Kind<"gauge" | "sum">[],
  look: () => Standing | Promise<Standing>,
): Disposable {
  if (!metering) return { [Symbol.dispose]() {} };
  const observed = names.map((name) => {
    const { kind, unit, description }: Instrument = INSTRUMENTS[name];
    const settings = { unit, description };
    return kind === "sum"
      ? meter.createObservableUpDownCounter(name, settings)
      : meter.createObservableGauge(name, settings);
  });
  const callback: Parameters<typeof meter.addBatchObservableCallback>[0] = async (result) => {
    const standing: Standing = await Promise.try(look).catch(() => ({})); // a failure would end Deno's exports
    names.forEach((name, index) => {
      for (const { value, attributes } of standing[name] ?? []) {
        result.observe(observed[index]!, value, attributes);
      }
    });
  };
  meter.addBatchObservableCallback(callback, observed);
  return { [Symbol.dispose]: () => meter.removeBatchObservableCallback(callback, observed) };
}
