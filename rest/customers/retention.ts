/** Retention of a closed account: when its erasure starts by itself. */
import { findCustomerFacts } from "../../db/customer_facts.ts";
import { settingsOf } from "../../db/store_settings.ts";
import { DomainError } from "../../domain/errors.ts";
import { retentionEnd } from "../../domain/retention.ts";
import { allow } from "../access.ts";
import { type Api, createRoute, json, refusals, z } from "../api.ts";
import type { RestOptions } from "../options.ts";
import { customerPath } from "./profile.ts";

const RetentionSchema = z.object({
  closedAt: z.iso.datetime().nullable().meta({
    description: "Since when the account is closed. Null while it is not",
  }),
  retentionDays: z.int().nullable().meta({
    format: "int32",
    description: "Days for which the store keeps closed accounts. Null: without an end",
  }),
  endsAt: z.iso.datetime().nullable().meta({
    description:
      "End of the retention period, at which the erasure starts, unless it was announced too late for that. " +
      "Null while the account is not closed, and where the store keeps closed accounts without an end",
  }),
  announcedAt: z.iso.datetime().nullable().meta({
    description:
      "When the erasure request of the cause RETENTION was opened. Its `cancellableUntil` is then decisive",
  }),
  held: z.boolean().meta({ description: "A legal hold is in effect, during which no erasure starts" }),
}).meta({ id: "Retention" });

const getRetention = createRoute({
  operationId: "getRetention",
  method: "get",
  path: "/customers/{customerId}/retention",
  summary: "Returns when a closed account is erased",
  description:
    "The service opens an erasure request of the cause RETENTION at most 14 days before the end of the period. " +
    "A reinstatement of the account ends that request. A customer who was erased has no announcement and no end.",
  tags: ["Holds"],
  middleware: allow("getRetention"),
  request: { params: customerPath },
  responses: { 200: json("The retention", RetentionSchema), ...refusals("NOT_FOUND") },
});

export function addRetentionRoute(api: Api, { reader }: RestOptions): void {
  api.openapi(getRetention, async (c) => {
    const { customerId } = c.req.valid("param");
    const { storeId } = c.var.by;
    const [facts, settings] = await reader.read(
      storeId,
      (sql) => Promise.all([findCustomerFacts(sql, storeId, customerId), settingsOf(sql, storeId)]),
    );
    if (!facts) throw new DomainError("NOT_FOUND", `Cannot find customer ${customerId}`);
    const { closedAt, retentionAnnouncedAt, anonymizedAt, holds } = facts;
    const days = settings.closedAccountRetentionDays;
    const isKept = closedAt !== null && anonymizedAt === null;
    return c.json({
      closedAt: closedAt?.toISOString() ?? null,
      retentionDays: days,
      endsAt: isKept && days !== null ? retentionEnd(closedAt, days).toISOString() : null,
      announcedAt: isKept ? retentionAnnouncedAt?.toISOString() ?? null : null,
      held: holds > 0,
    }, 200);
  });
}
