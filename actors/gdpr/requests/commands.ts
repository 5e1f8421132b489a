/** What a request can be told, and by whom: the input of each command, and what it comes to. */
import { z } from "zod";
import { type GdprRequestRow, upsertParticipant } from "../../../db/gdpr_requests.ts";
import { type Handler, handler } from "../../runtime/behavior.ts";
import { columnNames } from "../../runtime/changes.ts";
import { text } from "../../../domain/input.ts";
import type { PrincipalType } from "../../../domain/principal.ts";
import { extendedDueDate } from "./clock.ts";

const ANYBODY = ["CUSTOMER", "STAFF", "SYSTEM"] as const;
const STAFF = ["STAFF", "SYSTEM"] as const;
const SYSTEM = ["SYSTEM"] as const;

const nothing = z.strictObject({});
const reason = text(500);
const service = text(100);
const explanation = z.strictObject({ reason: reason.optional() });
const repetition = explanation.extend({ service: service.optional() });
const confirmation = z.strictObject({ service, evidence: text(2_000).nullish() });
const finding = z.strictObject({ residue: z.int().min(0) });

const plain = (by: readonly PrincipalType[], type: string) =>
  handler<GdprRequestRow, typeof nothing>(
    by,
    nothing,
    () => ({ event: { type }, changedFields: ["status"] }),
  );

/** The reason, where one is given, stands in the journal alone. */
const explained = (by: readonly PrincipalType[], type: "cancel" | "release") =>
  handler<GdprRequestRow, typeof explanation>(
    by,
    explanation,
    (_, { reason }) => ({ event: { type }, changedFields: ["status"], reason }),
  );

/** The request keeps the last reason of a kind, and the journal each of them. */
const withReason = (type: "hold" | "refuse", column: "holdReason" | "refusalReason") =>
  handler<GdprRequestRow, z.ZodObject<{ reason: typeof reason }>>(
    STAFF,
    z.strictObject({ reason }),
    (_, input) => ({
      event: { type },
      changedFields: ["status", ...columnNames({ [column]: "" })],
      columns: { [column]: input.reason },
      reason: input.reason,
    }),
  );

const aboutService = (by: readonly PrincipalType[], type: string) =>
  handler<GdprRequestRow, z.ZodObject<{ service: typeof service }>>(
    by,
    z.strictObject({ service }),
    (_, { service }) => ({
      event: { type, service },
      changedFields: ["participants"],
    }),
  );

export const requestCommands: Record<string, Handler<GdprRequestRow>> = {
  cancel: explained(ANYBODY, "cancel"),
  release: explained(STAFF, "release"),
  compiled: plain(SYSTEM, "compiled"),
  "access.closed": plain(SYSTEM, "access.closed"),
  hold: withReason("hold", "holdReason"),
  refuse: withReason("refuse", "refusalReason"),
  extend: handler<GdprRequestRow, z.ZodObject<{ reason: typeof reason }>>(
    STAFF,
    z.strictObject({ reason }),
    ({ row }, { reason }) => ({
      event: { type: "extend", dueAt: extendedDueDate(row.createdAt).getTime() },
      changedFields: ["due_at", "extension_reason"],
      columns: { extensionReason: reason },
      reason,
    }),
  ),
  retry: handler<GdprRequestRow, typeof repetition>(STAFF, repetition, (_, { service, reason }) => ({
    event: { type: "retry", ...(service !== undefined && { service }) },
    changedFields: [service === undefined ? "status" : "participants"],
    reason,
  })),
  waive: handler<GdprRequestRow, z.ZodObject<{ service: typeof service; reason: typeof reason }>>(
    STAFF,
    z.strictObject({ service, reason }),
    ({ ref }, { service, reason }) => ({
      event: { type: "waive", service },
      changedFields: ["participants"],
      reason,
      write: (tx) =>
        upsertParticipant(tx, ref.storeId, ref.id, service, { state: "WAIVED", waiverReason: reason }),
    }),
  ),
  "source.received": aboutService(SYSTEM, "source.received"),
  "source.failed": handler<
    GdprRequestRow,
    z.ZodObject<{ service: typeof service; error: typeof service }>
  >(
    SYSTEM,
    z.strictObject({ service, error: text(100) }),
    (_, { service, error }) => ({
      event: { type: "source.failed", service, error },
      changedFields: ["participants"],
    }),
  ),
  "participant.confirm": handler<GdprRequestRow, typeof confirmation>(
    SYSTEM,
    confirmation,
    ({ ref }, input) => ({
      event: { type: "participant.confirm", service: input.service },
      changedFields: ["participants"],
      write: (tx) =>
        upsertParticipant(tx, ref.storeId, ref.id, input.service, {
          state: "CONFIRMED",
          evidence: input.evidence ?? null,
        }),
    }),
  ),
  verified: handler<GdprRequestRow, typeof finding>(SYSTEM, finding, (_, { residue }) => ({
    event: { type: "verified", residue },
    changedFields: ["status"],
  })),
};
