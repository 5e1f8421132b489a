/** Commands of a GDPR request: principals, input and handler of each. */
import { z } from "zod";
import { type GdprRequestRow, updateParticipant, upsertParticipant } from "../../../db/gdpr_requests.ts";
import { type CommandOf, handler } from "../../runtime/behavior.ts";
import { columnNames } from "../../runtime/changes.ts";
import { text } from "../../../domain/input.ts";
import type { PrincipalType } from "../../../domain/principal.ts";
import { extendedDueDate } from "./clock.ts";
import type { opening } from "./opening_input.ts";

const ANYBODY = ["CUSTOMER", "STAFF", "SYSTEM"] as const;
const STAFF = ["STAFF", "SYSTEM"] as const;
const SYSTEM = ["SYSTEM"] as const;
const SUBJECT = ["CUSTOMER"] as const;
/** Principals who confirm or reject the proposal of another person; a service cannot. */
const PEOPLE = ["STAFF"] as const;

const noInput = z.strictObject({});
const reason = text(500);
const service = text(100);
const optionalReason = z.strictObject({ reason: reason.optional() });
const retryInput = optionalReason.extend({ service: service.optional() });
const rejection = z.strictObject({ reason, service: service.optional() });
const NO_WAIVER = { waiverReason: null, waiverProposedBy: null, waiverProposedAt: null };
const confirmation = z.strictObject({ service, evidence: text(2_000).nullish() });
const verification = z.strictObject({ residue: z.int().min(0) });

const plain = (by: readonly PrincipalType[], type: string) =>
  handler(
    by,
    noInput,
    () => ({ event: { type }, changedFields: ["status"] }),
  );

/** Command with an optional reason, which only the journal stores. */
const withOptionalReason = (by: readonly PrincipalType[], type: "cancel" | "release") =>
  handler(
    by,
    optionalReason,
    (_, { reason }) => ({ event: { type }, changedFields: ["status"], reason }),
  );

/** Command with a reason, which the journal and the request's row store. */
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

/** Event about the proposal to waive a service, or without one about the proposal to erase. */
const aboutProposal = (type: "confirm" | "reject" | "withdraw", by: string, service: string | undefined) => ({
  event: { type, by, ...(service !== undefined && { service }) },
  changedFields: [service === undefined ? "status" : "participants"],
});

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
  cancel: withOptionalReason(ANYBODY, "cancel"),
  release: withOptionalReason(STAFF, "release"),
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
  retry: handler(STAFF, retryInput, (_, { service, reason }) => ({
    event: { type: "retry", ...(service !== undefined && { service }) },
    changedFields: [service === undefined ? "status" : "participants"],
    reason,
  })),
  waive: handler(
    STAFF,
    z.strictObject({ service, reason }),
    ({ ref, by, now }, { service, reason }) => ({
      event: { type: "waive", service, by: by.id },
      changedFields: ["participants"],
      reason,
      write: (tx) =>
        updateParticipant(tx, { storeId: ref.storeId, requestId: ref.id, service }, {
          waiverReason: reason,
          waiverProposedBy: by.id,
          waiverProposedAt: now,
        }),
    }),
  ),
  confirm: handler(PEOPLE, retryInput, ({ ref, by, now }, { service, reason }) => ({
    ...aboutProposal("confirm", by.id, service),
    reason,
    ...(service === undefined ? { columns: { confirmedBy: by.id, confirmedAt: now } } : {
      write: (tx) =>
        updateParticipant(tx, { storeId: ref.storeId, requestId: ref.id, service }, {
          waiverConfirmedBy: by.id,
        }),
    }),
  })),
  reject: handler(PEOPLE, rejection, ({ ref, by }, { service, reason }) => ({
    ...aboutProposal("reject", by.id, service),
    reason,
    ...(service === undefined ? { columns: { refusalReason: reason } } : {
      write: (tx) => updateParticipant(tx, { storeId: ref.storeId, requestId: ref.id, service }, NO_WAIVER),
    }),
  })),
  withdraw: handler(STAFF, retryInput, ({ ref, by }, { service, reason }) => ({
    ...aboutProposal("withdraw", by.id, service),
    reason,
    ...(service !== undefined && {
      write: (tx) => updateParticipant(tx, { storeId: ref.storeId, requestId: ref.id, service }, NO_WAIVER),
    }),
  })),
  "subject.request": handler(SUBJECT, noInput, ({ by, now }) => ({
    event: { type: "subject.request" },
    changedFields: ["status"],
    columns: { confirmedBy: by.id, confirmedAt: now },
  })),
  proceed: plain(SUBJECT, "proceed"),
  "export.fetched": plain(SUBJECT, "export.fetched"),
  "export.destroyed": plain(SYSTEM, "export.destroyed"),
  "download.settled": plain(SYSTEM, "download.settled"),
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
          ...NO_WAIVER,
        }),
    }),
  ),
  verified: handler(SYSTEM, verification, (_, { residue }) => ({
    event: { type: "verified", residue },
    changedFields: ["status"],
  })),
};

export type RequestCommand = CommandOf<typeof requestCommands> | { type: "open" } & z.input<typeof opening>;
