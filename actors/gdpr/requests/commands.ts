/** What a request can be told, and by whom: the input of each command, and what it comes to. */
import { z } from "zod";
import { type GdprRequestRow, upsertParticipant } from "../../../db/gdpr_requests.ts";
import { type CommandOf, handler } from "../../runtime/behavior.ts";
import { columnNames } from "../../runtime/changes.ts";
import { text } from "../../../domain/input.ts";
import type { PrincipalType } from "../../../domain/principal.ts";
import { extendedDueDate } from "./clock.ts";
import type { opening } from "./opening_input.ts";

/** Decisions are for people. Services take part in a request, and none of them decides about it. */
const SUBJECT_OR_STAFF = ["CUSTOMER", "STAFF"] as const;
const STAFF = ["STAFF"] as const;
const SYSTEM = ["SYSTEM"] as const;

const nothing = z.strictObject({});
const reason = text(500);
const service = text(100);
const explanation = z.strictObject({ reason: reason.optional() });
const repetition = explanation.extend({ service: service.optional() });
const confirmation = z.strictObject({ service, evidence: text(2_000).nullish() });
const finding = z.strictObject({ residue: z.int().min(0) });

const plain = (by: readonly PrincipalType[], type: string) =>
  handler(
    by,
    nothing,
    () => ({ event: { type }, changedFields: ["status"] }),
  );

/** The reason, where one is given, stands in the journal alone. */
const explained = (by: readonly PrincipalType[], type: "cancel" | "release") =>
  handler(
    by,
    explanation,
    (_, { reason }) => ({ event: { type }, changedFields: ["status"], reason }),
  );

/** The request keeps the last reason of a kind, and the journal each of them. */
const withReason = (type: "hold" | "refuse", column: "holdReason" | "refusalReason") =>
  handler(
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
  handler(
    by,
    z.strictObject({ service }),
    (_, { service }) => ({
      event: { type, service },
      changedFields: ["participants"],
    }),
  );

export const requestCommands = {
  cancel: explained(SUBJECT_OR_STAFF, "cancel"),
  release: explained(STAFF, "release"),
  compiled: plain(SYSTEM, "compiled"),
  "access.closed": plain(SYSTEM, "access.closed"),
  hold: withReason("hold", "holdReason"),
  refuse: withReason("refuse", "refusalReason"),
  extend: handler(
    STAFF,
    z.strictObject({ reason }),
    ({ row }: { row: GdprRequestRow }, { reason }) => ({
      event: { type: "extend", dueAt: extendedDueDate(row.createdAt).getTime() },
      changedFields: ["due_at", "extension_reason"],
      columns: { extensionReason: reason },
      reason,
    }),
  ),
  retry: handler(STAFF, repetition, (_, { service, reason }) => ({
    event: { type: "retry", ...(service !== undefined && { service }) },
    changedFields: [service === undefined ? "status" : "participants"],
    reason,
  })),
  waive: handler(
    STAFF,
    z.strictObject({ service, reason }),
    ({ ref }, { service, reason }) => ({
      event: { type: "waive", service },
      changedFields: ["participants"],
      reason,
      write: (tx) =>
        upsertParticipant(tx, { storeId: ref.storeId, requestId: ref.id, service }, {
          state: "WAIVED",
          waiverReason: reason,
        }),
    }),
  ),
  "source.received": aboutService(SYSTEM, "source.received"),
  "source.failed": handler(
    SYSTEM,
    z.strictObject({ service, error: text(100) }),
    (_, { service, error }) => ({
      event: { type: "source.failed", service, error },
      changedFields: ["participants"],
    }),
  ),
  "participant.confirm": handler(
    SYSTEM,
    confirmation,
    ({ ref }, input) => ({
      event: { type: "participant.confirm", service: input.service },
      changedFields: ["participants"],
      write: (tx) =>
        upsertParticipant(tx, { storeId: ref.storeId, requestId: ref.id, service: input.service }, {
          state: "CONFIRMED",
          evidence: input.evidence ?? null,
        }),
    }),
  ),
  verified: handler(SYSTEM, finding, (_, { residue }) => ({
    event: { type: "verified", residue },
    changedFields: ["status"],
  })),
};

export type RequestCommand = CommandOf<typeof requestCommands> | { type: "open" } & z.input<typeof opening>;
