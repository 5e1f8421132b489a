/** Metrics: a table of all instruments, and functions to record values. Deno exports them. */
import { type Attributes, createNoopMeter, metrics } from "@opentelemetry/api";

export type { Attributes };

interface Instrument {
  kind: "histogram" | "counter" | "gauge" | "sum";
  /** UCUM unit in OpenTelemetry's notation. */
  unit: string;
  description: string;
  /** Bucket boundaries of a histogram. */
  bounds?: readonly number[];
}

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const MINUTES = [0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 900];

/** Standard names where they exist (semantic conventions 1.40), otherwise below `customer_service`. */
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
    description: "Maximum number of connections of a pool",
  },
  "db.client.connection.pending_requests": {
    kind: "sum",
    unit: "{request}",
    description: "Requests that wait for a connection of a pool",
  },
  "customer_service.lookup.batch.size": {
    kind: "histogram",
    unit: "{question}",
    description: "Lookups or commands that one statement serves",
    bounds: [1, 2, 4, 8, 16, 32, 64, 128, 256, 500],
  },
  "customer_service.http.request.duration": {
    kind: "histogram",
    unit: "s",
    description: "HTTP requests by route, method and status, until the response begins",
    bounds: SECONDS,
  },
  "customer_service.load.refused": {
    kind: "counter",
    unit: "{request}",
    description: "Requests and calls that were refused because of overload",
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
    description: "Events published to the sink, by topic",
  },
  "customer_service.outbox.failures": {
    kind: "counter",
    unit: "{attempt}",
    description: "Attempts to publish that have failed, by topic",
  },
  "customer_service.outbox.backlog": {
    kind: "gauge",
    unit: "{event}",
    description: "Events that wait to be published, by topic",
  },
  "customer_service.outbox.oldest_age": {
    kind: "gauge",
    unit: "s",
    description: "Age of the oldest event that waits to be published, by topic",
  },
  "customer_service.effects.due": {
    kind: "gauge",
    unit: "{effect}",
    description: "Effects that are due and not in progress",
  },
  "customer_service.effects.poisoned": {
    kind: "gauge",
    unit: "{effect}",
    description: "Effects that failed permanently and need an operator",
  },
  "customer_service.effects.failing": {
    kind: "gauge",
    unit: "{effect}",
    description: "Effects that have failed at least three times in a row and are retried",
  },
  "customer_service.timers.failing": {
    kind: "gauge",
    unit: "{timer}",
    description: "Timers that have failed at least three times in a row and are retried",
  },
  "customer_service.timers.due": {
    kind: "gauge",
    unit: "{timer}",
    description: "Timers that are due",
  },
  "customer_service.timers.oldest_age": {
    kind: "gauge",
    unit: "s",
    description: "Delay of the timer that is due longest",
  },
  "customer_service.clock.offset": {
    kind: "gauge",
    unit: "s",
    description: "Time by which this replica's clock is ahead of PostgreSQL's; negative if it is slow",
  },
  "customer_service.replica.lag": {
    kind: "gauge",
    unit: "s",
    description: "Age of the answers of the replica of DATABASE_READ_URL; absent while unknown",
  },
  "customer_service.replica.lookups": {
    kind: "counter",
    unit: "{lookup}",
    description: "Lookups that the replica of DATABASE_READ_URL served, or why the primary was asked instead",
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
    description: "Erasures that wait because their re-scan found personal data",
  },
  "customer_service.gdpr.requests.at_risk": {
    kind: "gauge",
    unit: "{request}",
    description: "Open requests whose due date is near, by type",
  },
  "customer_service.gdpr.requests.overdue": {
    kind: "gauge",
    unit: "{request}",
    description: "Open requests past their due date, by type",
  },
  "customer_service.gdpr.requests.proposed": {
    kind: "gauge",
    unit: "{request}",
    description: "Open requests with a proposal that a second person has to confirm or reject",
  },
  "customer_service.gdpr.requests.waiting_for_download": {
    kind: "gauge",
    unit: "{request}",
    description: "Erasures that wait for the customer to download documents",
  },
  "customer_service.gdpr.notices.due": {
    kind: "gauge",
    unit: "{notice}",
    description: "Notices to customers that wait for their delivery, by kind",
  },
  "customer_service.gdpr.notices.overdue": {
    kind: "gauge",
    unit: "{notice}",
    description: "Notices to customers that were not delivered by their due date, by kind",
  },
  "customer_service.gdpr.notices.expired": {
    kind: "gauge",
    unit: "{notice}",
    description: "Notices to customers that were never delivered and that staff have not waived, by kind",
  },
  "customer_service.gdpr.notices.undeliverable": {
    kind: "gauge",
    unit: "{notice}",
    description: "Notices to customers that the address has refused and that staff have not waived, by kind",
  },
  "customer_service.gdpr.holds": {
    kind: "gauge",
    unit: "{hold}",
    description: "Legal holds in effect, by ground",
  },
  "customer_service.gdpr.holds.old": {
    kind: "gauge",
    unit: "{hold}",
    description: "Legal holds in effect without an end that were placed more than a year ago, by ground",
  },
  "customer_service.gdpr.participants.overdue": {
    kind: "gauge",
    unit: "{participant}",
    description: "Participants that have not answered for days, by service",
  },
  "customer_service.erasure_memory.missing": {
    kind: "gauge",
    unit: "{erasure}",
    description:
      "Erasures outside of the database that the database lacks, because it was restored from a backup",
  },
} as const satisfies Record<string, Instrument>;

type Kind<K extends Instrument["kind"]> = {
  [Name in keyof typeof INSTRUMENTS]: (typeof INSTRUMENTS)[Name]["kind"] extends K ? Name : never;
}[keyof typeof INSTRUMENTS];

const meter = metrics.getMeter("customer-service");

/** Whether metrics are exported. Deno decides this when the process starts. */
export const isMetering = meter !== createNoopMeter();

const made = new Map<string, (value: number, attributes?: Attributes) => void>();

/** Records a value of a histogram, or adds to a counter. Durations are in seconds. */
export function record(name: Kind<"histogram" | "counter">, value: number, attributes?: Attributes): void {
  if (!isMetering) return;
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

/** Seconds since a `performance.now()` timestamp. */
export function secondsSince(started: number): number {
  return (performance.now() - started) / 1_000;
}

/** Current values by instrument and attributes. */
export type Observations = Partial<
  Record<Kind<"gauge" | "sum">, { value: number; attributes?: Attributes }[]>
>;

/**
 * Calls `read` at every export for the current values of the named instruments, until disposal. If it fails, nothing is
 * exported for them.
 */
export function observe(
  names: readonly Kind<"gauge" | "sum">[],
  read: () => Observations | Promise<Observations>,
): Disposable {
  if (!isMetering) return { [Symbol.dispose]() {} };
  const observed = names.map((name) => {
    const { kind, unit, description }: Instrument = INSTRUMENTS[name];
    const settings = { unit, description };
    return kind === "sum"
      ? meter.createObservableUpDownCounter(name, settings)
      : meter.createObservableGauge(name, settings);
  });
  const callback: Parameters<typeof meter.addBatchObservableCallback>[0] = async (result) => {
    const observations: Observations = await Promise.try(read).catch(() => ({})); // a failure would end Deno's exports
    names.forEach((name, index) => {
      for (const { value, attributes } of observations[name] ?? []) {
        result.observe(observed[index]!, value, attributes);
      }
    });
  };
  meter.addBatchObservableCallback(callback, observed);
  return { [Symbol.dispose]: () => meter.removeBatchObservableCallback(callback, observed) };
}
