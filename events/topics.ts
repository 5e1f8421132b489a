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
} from "../proto/gen/io/shopstar/customer/v1/events_pb.ts";

export const TOPICS: ReadonlyMap<string, DescMessage> = new Map<string, DescMessage>([
  ["audit.event", AuditEventSchema],
  ["customer.created", CustomerCreatedSchema],
  ["customer.erased", CustomerErasedSchema],
  ["customer.erasure_requested", CustomerErasureRequestedSchema],
  ["customer.group_assigned", CustomerGroupAssignedSchema],
  ["customer.group_removed", CustomerGroupRemovedSchema],
  ["customer.updated", CustomerUpdatedSchema],
]);

/** Topic with a copy of the erasure memory. */
export const ERASURE_LOG = "customer.erased";

/** Settings that override the broker's. The erasure log keeps the last event of each customer forever. */
const SETTINGS: Readonly<Record<string, Record<string, string>>> = {
  [ERASURE_LOG]: { "cleanup.policy": "compact", "retention.ms": "-1", "retention.bytes": "-1" },
};

/** Configurations of the topics that a broker lacks. */
export function missingTopics(
  existing: readonly string[],
  sizes: { partitions: number; replicationFactor: number },
): ITopicConfig[] {
  return [...TOPICS.keys()].filter((topic) => !existing.includes(topic)).map((topic) => ({
    topic,
    numPartitions: sizes.partitions,
    replicationFactor: sizes.replicationFactor,
    configEntries: Object.entries(SETTINGS[topic] ?? {}).map(([name, value]) => ({ name, value })),
  }));
}
