/**
 * Demo order-service, payment-service and communication-service: real gRPC servers and event consumers in this process.
 * With them access requests and erasures complete in development.
 */
import { fromJson, type JsonValue } from "@bufbuild/protobuf";
import { getLogger } from "@logtape/logtape";
import { pause } from "../../lib/timeout.ts";
import type { KafkaSettings } from "../../events/kafka_client.ts";
import {
  type CustomerErasureRequested,
  CustomerErasureRequestedSchema,
  type GdprNoticeDue,
  GdprNoticeDueSchema,
} from "../../proto/gen/io/shopstar/customer/v1/events_pb.ts";
import { activeTraceparent, inSpan, SpanKind } from "../../telemetry/spans.ts";
import { type ConfirmOptions, createConfirmer } from "./confirm.ts";
import { isSilent } from "../silence.ts";
import { consume } from "./consumer.ts";
import type { GuestHashKey } from "./email_hashes.ts";
import { HOLDINGS, TOUR_CUSTOMERS } from "./holdings.ts";
import { createMailer, MAILER, NOTICE_TOPIC } from "./notices.ts";
import { serveDemoService } from "./server.ts";
import { createDemoService, type DemoService } from "./service.ts";

export interface DemoPeersOptions {
  /** Kafka to consume events from; without it, call `deliver`. */
  kafka?: KafkaSettings | undefined;
  /** Prefix of the consumer groups' names. */
  group?: string;
  confirm: ConfirmOptions;
  /** Keys of the participants. Without them the services find no rows of guests. */
  emailKeys?: readonly GuestHashKey[];
  /** Additional delay of each service's erasure after the previous one's, in milliseconds. */
  paceMs?: number;
}

export interface DemoPeers extends AsyncDisposable {
  /** gRPC addresses by service name. */
  urls: Map<string, URL>;
  /**
   * Delivers an event to the services. Returns when all have processed it.
   *
   * @param traceparent trace context of the event
   */
  deliver(topic: string, payload: Record<string, unknown>, traceparent?: string): Promise<void>;
}

/** Slow enough for a viewer to see each service confirm. */
const PACE_MS = 1_500;

const TOPIC = "customer.erasure_requested";

/** Fails its first call for a shopper of the tour, to show a retry. */
const FAILS_ONCE = "communication-service";

export async function startDemoPeers(
  { kafka, group = "demo", confirm, emailKeys = [], paceMs = PACE_MS }: DemoPeersOptions,
): Promise<DemoPeers> {
  const log = getLogger(["customer-service", "demo"]);
  const services = Object.keys(HOLDINGS).map((name) => createDemoService(name, emailKeys));
  await using stack = new AsyncDisposableStack();
  const confirmer = stack.use(createConfirmer(confirm));
  const mailer = stack.use(createMailer(confirm));
  const stopping = new AbortController();
  const underWay = new Set<Promise<void>>();
  stack.defer(async () => void await Promise.all(underWay));

  async function erase(service: DemoService, event: CustomerErasureRequested, from?: string): Promise<void> {
    const { requestId, storeId, customerId, participants } = event;
    if (!participants.includes(service.name) || isSilent(service.name, customerId)) return;
    await pause((services.indexOf(service) + 1) * paceMs, stopping.signal);
    if (stopping.signal.aborted) return;
    const evidence = service.anonymize(event);
    log.info("{service} has erased customer {customerId}: {evidence}", {
      service: service.name,
      customerId,
      evidence,
    });
    const confirmation = { requestId, storeId, customerId, service: service.name, evidence };
    const status = await confirmer.confirm(confirmation, activeTraceparent() ?? from, stopping.signal);
    log.info("{service} has confirmed request {requestId}: {status}", {
      service: service.name,
      requestId,
      status,
    });
  }

  /** Processes an event. After a failure the GDPR request asks the service again. */
  function process(service: DemoService, event: CustomerErasureRequested, from?: string): Promise<void> {
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

  /** Delivers a notice. After a failure customer-service publishes it again. */
  function mail(event: GdprNoticeDue, from?: string): Promise<void> {
    const settings = { kind: SpanKind.CONSUMER, parent: from };
    const mailing = inSpan(
      `process ${NOTICE_TOPIC}`,
      settings,
      () => mailer.deliver(event, activeTraceparent() ?? from, stopping.signal),
    )
      .catch((error) => {
        if (stopping.signal.aborted) return;
        log.warn("{service} cannot deliver notice {noticeId}: {reason}", {
          service: MAILER,
          noticeId: event.noticeId,
          reason: error instanceof Error ? error.message : String(error),
        });
      })
      .finally(() => underWay.delete(mailing));
    underWay.add(mailing);
    return mailing;
  }

  const urls = new Map<string, URL>();
  for (const service of services) {
    const server = stack.use(await serveDemoService(service, createAvailability(service.name)));
    urls.set(service.name, server.url);
    if (kafka) {
      const settings = {
        topic: TOPIC,
        group: `${group}-${service.name}`,
        schema: CustomerErasureRequestedSchema,
      };
      stack.use(consume(kafka, settings, (event, from) => process(service, event, from)));
    }
  }
  if (kafka) {
    const settings = {
      topic: NOTICE_TOPIC,
      group: `${group}-${MAILER}-notices`,
      schema: GdprNoticeDueSchema,
    };
    stack.use(consume(kafka, settings, mail));
  }
  stack.defer(() => stopping.abort());
  const running = stack.move();
  return {
    urls,
    async deliver(topic, payload, traceparent) {
      if (topic === NOTICE_TOPIC) {
        await mail(
          fromJson(GdprNoticeDueSchema, payload as JsonValue, { ignoreUnknownFields: true }),
          traceparent,
        );
      }
      if (topic !== TOPIC) return;
      const event = fromJson(CustomerErasureRequestedSchema, payload as JsonValue, {
        ignoreUnknownFields: true,
      });
      await Promise.all(services.map((service) => process(service, event, traceparent)));
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** Decides whether a service answers a call for the data of a customer. */
function createAvailability(service: string): (customerId: string) => boolean {
  let fails = service === FAILS_ONCE;
  return (customerId) => {
    if (isSilent(service, customerId)) return false;
    if (!fails || !TOUR_CUSTOMERS.includes(customerId)) return true;
    return fails = false;
  };
}
