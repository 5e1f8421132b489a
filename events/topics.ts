/** The topics that this service publishes to, each with the message that its values are. */
import type { DescMessage } from "@bufbuild/protobuf";
import { AuditEventSchema } from "../proto/gen/io/shopstar/audit/v1/events_pb.ts";
import {
  CustomerCreatedSchema,
  CustomerGroupAssignedSchema,
  CustomerGroupRemovedSchema,
  CustomerUpdatedSchema,
} from "../proto/gen/io/shopstar/customer/v1/events_pb.ts";

export const TOPICS: ReadonlyMap<string, DescMessage> = new Map<string, DescMessage>([
  ["audit.event", AuditEventSchema],
  ["customer.created", CustomerCreatedSchema],
  ["customer.updated", CustomerUpdatedSchema],
  ["customer.group_assigned", CustomerGroupAssignedSchema],
  ["customer.group_removed", CustomerGroupRemovedSchema],
]);
