/** Topics that this service publishes to, each with the schema of its messages. */
import type { DescMessage } from "@bufbuild/protobuf";
import type { ITopicConfig } from "kafkajs";
import { AuditEventSchema } from "../proto/gen/io/shopstar/audit/v1/events_pb.ts";
import {
  CustomerCreatedSchema,
  CustomerErasedSchema,
  CustomerErasureRequestedSchema,
  CustomerGroupAssignedSchema,
  CustomerGroupRemovedSchema,
  CustomerUpdatedSchema,
  GdprNoticeDueSchema,
} from "../proto/gen/io/shopstar/customer/v1/events_pb.ts";

export const TOPICS: ReadonlyMap<string, DescMessage> = new Map<string, DescMessage>([
  ["audit.event", AuditEventSchema],
  ["customer.created", CustomerCreatedSchema],
  ["customer.erased", CustomerErasedSchema],
  ["customer.erasure_requested", CustomerErasureRequestedSchema],
  ["customer.group_assigned", CustomerGroupAssignedSchema],
  ["customer.group_removed", CustomerGroupRemovedSchema],
  ["customer.updated", CustomerUpdatedSchema],
  ["gdpr.notice_due", GdprNoticeDueSchema],
]);

/**
 * CloudEvents' `type` of a topic's events, "io.shopstar.customer.created.v1". The version is that of the message's
 * package: an incompatible change of a message gets a new one.
 */
export function eventType(topic: string, { typeName }: DescMessage): string {
  const version = typeName.split(".").at(-2);
  return `io.shopstar.${topic}.${version}`;
}

/** Topic with a copy of the erasure memory. */
export const ERASURE_LOG = "customer.erased";

/**
 * Kafka key of an event: that of its row, with the store for the erasure log. A customer ID can exist in several stores,
 * and compaction keeps only the last event of each key.
 */
export function messageKey({ topic, storeId, key }: { topic: string; storeId: string; key: string }): string {
  return topic === ERASURE_LOG ? `${storeId}/${key}` : key;
}

/** Settings that override the broker's. The erasure log keeps the last event of each key forever. */
const SETTINGS: Readonly<Record<string, Record<string, string>>> = {
  [ERASURE_LOG]: { "cleanup.policy": "compact", "retention.ms": "-1", "retention.bytes": "-1" },
};

/** Sizes of topics that the service creates. */
export interface TopicSizes {
  partitions: number;
  replicationFactor: number;
}

/** Configurations of the topics that a broker lacks. */
export function missingTopics(
  existing: readonly string[],
  sizes: TopicSizes,
): ITopicConfig[] {
  return [...TOPICS.keys()].filter((topic) => !existing.includes(topic)).map((topic) => ({
    topic,
    numPartitions: sizes.partitions,
    replicationFactor: sizes.replicationFactor,
    configEntries: Object.entries(SETTINGS[topic] ?? {}).map(([name, value]) => ({ name, value })),
  }));
}
