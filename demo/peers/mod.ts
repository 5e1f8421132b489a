/**
 * The demonstration order-, payment- and communication-service: real gRPC servers and real event consumers beside
 * the service, so that a newcomer watches an access request and an erasure complete. For development only.
 */
import { fromJson, type JsonValue } from "@bufbuild/protobuf";
import { getLogger } from "@logtape/logtape";
import { setTimeout as pauseFor } from "node:timers/promises";
import type { KafkaSettings } from "../../events/kafka_client.ts";
import {
  type CustomerErasureRequested,
  CustomerErasureRequestedSchema,
} from "../../proto/gen/io/shopstar/customer/v1/events_pb.ts";
import { activeTraceparent, inSpan, SpanKind } from "../../telemetry/spans.ts";
import { type ConfirmOptions, createConfirmer } from "./confirm.ts";
import { consumeErasures, TOPIC } from "./consumer.ts";
import { HOLDINGS } from "./holdings.ts";
import { serveDemoService } from "./server.ts";
import { createDemoService, type DemoService } from "./service.ts";

export interface DemoPeersOptions {
  /** Where the events are; without it, `deliver` brings them. */
  kafka?: KafkaSettings | undefined;
  /** How the names of the services' consumer groups begin. */
  group?: string;
  confirm: ConfirmOptions;
  /** By how much each service takes longer over an erasure than the one before it, in milliseconds. */
  paceMs?: number;
}

export interface DemoPeers extends AsyncDisposable {
  /** By the services' names. */
  urls: Map<string, URL>;
  /**
   * Tells the services of an event; returns when each has done what it does.
   *
   * @param traceparent where in which trace the event comes from
   */
  deliver(topic: string, payload: Record<string, unknown>, traceparent?: string): Promise<void>;
}

/** So that whoever looks on sees each of them confirm. */
const PACE_MS = 1_500;

/** Is away the first time that it is asked. */
const AWAY_ONCE = "communication-service";

export async function startDemoPeers(
  { kafka, group = "demo", confirm, paceMs = PACE_MS }: DemoPeersOptions,
): Promise<DemoPeers> {
  const log = getLogger(["customer-service", "demo"]);
  const services = Object.keys(HOLDINGS).map(createDemoService);
  await using stack = new AsyncDisposableStack();
  const confirmer = stack.use(createConfirmer(confirm));
  const stopping = new AbortController();
  const underWay = new Set<Promise<void>>();
  stack.defer(async () => void await Promise.all(underWay));

  async function erase(service: DemoService, event: CustomerErasureRequested, from?: string): Promise<void> {
    const { requestId, storeId, customerId, participants } = event;
    if (!participants.includes(service.name)) return;
    await pauseFor((services.indexOf(service) + 1) * paceMs, undefined, { signal: stopping.signal });
    const evidence = service.anonymise(customerId);
    log.info("{service} has erased customer {customerId}: {evidence}", {
      service: service.name,
      customerId,
      evidence,
    });
    const confirmation = { requestId, storeId, service: service.name, evidence };
    const status = await confirmer.confirm(confirmation, activeTraceparent() ?? from, stopping.signal);
    log.info("{service} has confirmed request {requestId}: {status}", {
      service: service.name,
      requestId,
      status,
    });
  }

  /** An event that comes to nothing is told again: the request asks those that have not confirmed. */
  function hear(service: DemoService, event: CustomerErasureRequested, from?: string): Promise<void> {
    const settings = { kind: SpanKind.CONSUMER, parent: from };
    const erasing = inSpan(`process ${TOPIC}`, settings, () => erase(service, event, from))
      .catch((error) => {
        if (stopping.signal.aborted) return;
        log.warn("{service} cannot erase customer {customerId}: {reason}", {
          service: service.name,
          customerId: event.customerId,
          reason: error instanceof Error ? error.message : String(error),
        });
      })
      .finally(() => underWay.delete(erasing));
    underWay.add(erasing);
    return erasing;
  }

  const urls = new Map<string, URL>();
  for (const service of services) {
    const server = stack.use(await serveDemoService(service, service.name === AWAY_ONCE ? 1 : 0));
    urls.set(service.name, server.url);
    if (kafka) {
      stack.use(
        consumeErasures(kafka, `${group}-${service.name}`, (event, from) => hear(service, event, from)),
      );
    }
  }
  stack.defer(() => stopping.abort());
  const running = stack.move();
  return {
    urls,
    async deliver(topic, payload, traceparent) {
      if (topic !== TOPIC) return;
      const event = fromJson(CustomerErasureRequestedSchema, payload as JsonValue, {
        ignoreUnknownFields: true,
      });
      await Promise.all(services.map((service) => hear(service, event, traceparent)));
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}
