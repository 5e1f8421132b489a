/** Commands of a GDPR request: principals, input and handler of each. */
import { z } from "zod";
import { type GdprRequestRow, updateParticipant, upsertParticipant } from "../../../db/gdpr_requests.ts";
import type { Tx } from "../../../db/connect.ts";
import { type CommandOf, type DecisionContext, handler } from "../../runtime/behavior.ts";
import type { ActorRef } from "../../runtime/protocol.ts";
import { HOLD_GROUNDS } from "../../../domain/holds.ts";
import { REFUSAL_GROUNDS } from "../../../domain/notices.ts";
import { optionalText, text } from "../../../domain/input.ts";
import type { PrincipalType } from "../../../domain/principal.ts";
import { identityCheck, type opening, receipt } from "./opening_input.ts";
import { requireRecentSignIn } from "./recent_sign_in.ts";
import { type PeerKeys, verifyConfirmation } from "./confirmation.ts";

/** Decisions are for people. Services take part in a request, and none of them decides about it. */
const SUBJECT_OR_STAFF = ["CUSTOMER", "STAFF"] as const;
const STAFF = ["STAFF"] as const;
const SYSTEM = ["SYSTEM"] as const;
const SUBJECT = ["CUSTOMER"] as const;

const noInput = z.strictObject({});
/** For the customer. */
const reason = text(500);
/** For other staff. */
const note = optionalText(500);
const service = text(100);
const noted = z.strictObject({ note });
const reasoned = z.strictObject({ reason, note });
const aboutServiceInput = noted.extend({ service: optionalText(100) });
const ground = z.enum(REFUSAL_GROUNDS);
const rejection = reasoned.extend({ service: optionalText(100), ground: ground.optional() }).refine(
  ({ service, ground }) => (ground === undefined) === Boolean(service),
  { path: ["ground"], error: "is required to reject an erasure, and not allowed to reject a waiver" },
);
const NO_WAIVER = { waiverReason: null, waiverProposedBy: null, waiverProposedAt: null };
const confirmation = z.strictObject({
  service,
  evidence: optionalText(2_000),
  /** Ed25519, of the bytes that receipts/confirmation.ts describes. */
  signature: z.instanceof(Uint8Array<ArrayBuffer>).refine(({ length }) => length === 64, "must have 64 bytes")
    .optional(),
});
const verification = z.strictObject({ residue: z.int().min(0) });

const plain = (by: readonly PrincipalType[], type: string) =>
  handler(
    by,
    noInput,
    () => ({ event: { type }, changedFields: ["status"] }),
  );

/** The note of an input, for the journal. */
const noteOf = ({ note }: { note?: string | null | undefined }) => ({ note: note ?? undefined });

/** Event about the proposal to waive a service, or without one about the proposal to erase. */
const aboutProposal = (
  type: "confirm" | "reject" | "withdraw",
  by: string,
  { service, ...texts }: { service?: string | null | undefined; note?: string | null | undefined },
) => ({
  event: { type, by, ...(service && { service }) },
  changedFields: [service ? "participants" : "status"],
  ...noteOf(texts),
});

/** Change of a participant's row; undefined without a service. */
const withParticipant = (
  { storeId, id: requestId }: ActorRef,
  service: string | null | undefined,
  values: Parameters<typeof updateParticipant>[2],
) =>
  service ? { write: (tx: Tx) => updateParticipant(tx, { storeId, requestId, service }, values) } : undefined;

const aboutService = (by: readonly PrincipalType[], type: string) =>
  handler(
    by,
    z.strictObject({ service }),
    (_, { service }) => ({
      event: { type, service },
      changedFields: ["participants"],
    }),
  );

/** All commands except `participant.confirm`, which needs keys. */
export const requestCommands = {
  cancel: handler(
    SUBJECT_OR_STAFF,
    noted.extend({ reason: optionalText(500) }),
    (_, { reason, ...input }) => ({
      event: { type: "cancel" },
      changedFields: ["status", ...(reason ? ["cancellation_reason"] : [])],
      ...(reason && { columns: { cancellationReason: reason }, reason }),
      ...noteOf(input),
    }),
  ),
  release: handler(
    STAFF,
    noted,
    (_, input) => ({ event: { type: "release" }, changedFields: ["status"], ...noteOf(input) }),
  ),
  compiled: plain(SYSTEM, "compiled"),
  "access.closed": plain(SYSTEM, "access.closed"),
  "customer.changed": plain(SYSTEM, "customer.changed"),
  "subject.erased": plain(SYSTEM, "subject.erased"),
  hold: handler(
    STAFF,
    reasoned.extend({ ground: z.enum(HOLD_GROUNDS) }),
    (_, { reason, ground, ...input }) => ({
      event: { type: "hold" },
      changedFields: ["status", "hold_reason", "hold_ground"],
      columns: { holdReason: reason, holdGround: ground },
      reason,
      ...noteOf(input),
    }),
  ),
  refuse: handler(STAFF, reasoned.extend({ ground }), (_, { reason, ground, ...input }) => ({
    event: { type: "refuse" },
    changedFields: ["status", "refusal_reason", "refusal_ground"],
    columns: { refusalReason: reason, refusalGround: ground },
    reason,
    ...noteOf(input),
  })),
  extend: handler(
    STAFF,
    reasoned,
    (_, { reason, ...input }) => ({
      event: { type: "extend" },
      changedFields: ["due_at", "extension_reason"],
      columns: { extensionReason: reason },
      reason,
      ...noteOf(input),
    }),
  ),
  retry: handler(STAFF, aboutServiceInput, (_, { service, ...input }) => ({
    event: { type: "retry", ...(service && { service }) },
    changedFields: [service ? "participants" : "status"],
    ...noteOf(input),
  })),
  waive: handler(
    STAFF,
    reasoned.extend({ service }),
    ({ ref, by, now }, { service, reason, ...input }) => ({
      event: { type: "waive", service, by: by.id },
      changedFields: ["participants"],
      reason,
      ...noteOf(input),
      write: (tx) =>
        updateParticipant(tx, { storeId: ref.storeId, requestId: ref.id, service }, {
          waiverReason: reason,
          waiverProposedBy: by.id,
          waiverProposedAt: now,
        }),
    }),
  ),
  confirm: handler(STAFF, aboutServiceInput, ({ ref, by, now }, input) => ({
    ...aboutProposal("confirm", by.id, input),
    ...withParticipant(ref, input.service, { waiverConfirmedBy: by.id }) ??
      { columns: { confirmedBy: by.id, confirmedAt: now } },
  })),
  reject: handler(STAFF, rejection, ({ ref, by }, input) => ({
    ...aboutProposal("reject", by.id, input),
    reason: input.reason,
    ...withParticipant(ref, input.service, NO_WAIVER) ??
      { columns: { refusalReason: input.reason, refusalGround: input.ground! } },
  })),
  withdraw: handler(STAFF, aboutServiceInput, ({ ref, by }, input) => ({
    ...aboutProposal("withdraw", by.id, input),
    ...withParticipant(ref, input.service, NO_WAIVER),
  })),
  "subject.request": handler(SUBJECT, noInput, ({ by, now }) => ({
    event: { type: "subject.request" },
    changedFields: ["status"],
    columns: { confirmedBy: by.id, confirmedAt: now },
  })),
  "identity.verify": handler(
    STAFF,
    identityCheck.extend({ note }),
    ({ by, now }, { method, reference, ...input }) => ({
      event: { type: "identity.verify" },
      changedFields: [
        "status",
        "identified_at",
        "identity_method",
        ...(reference ? ["identity_reference"] : []),
      ],
      columns: {
        identifiedAt: now,
        identifiedBy: by.id,
        identityMethod: method,
        identityReference: reference ?? null,
      },
      ...(reference && { texts: { reference } }),
      ...noteOf(input),
    }),
  ),
  "identity.fail": handler(STAFF, reasoned, (_, { reason, ...input }) => ({
    event: { type: "identity.fail" },
    changedFields: ["identity_failures"],
    reason,
    ...noteOf(input),
  })),
  "information.request": handler(STAFF, reasoned, (_, { reason, ...input }) => ({
    event: { type: "information.request" },
    changedFields: ["information_requested_at", "information_reason"],
    columns: { informationReason: reason },
    reason,
    ...noteOf(input),
  })),
  "information.receive": handler(
    STAFF,
    noted.extend({ receivedAt: receipt.optional() }),
    (_, { receivedAt, ...input }) => ({
      event: { type: "information.receive", receivedAt },
      changedFields: ["information_requested_at", "due_at"],
      ...noteOf(input),
    }),
  ),
  proceed: plain(SUBJECT, "proceed"),
  "export.fetched": plain(SUBJECT, "export.fetched"),
  hand_over: handler(STAFF, noted, (_, input) => ({
    event: { type: "hand_over" },
    changedFields: ["outcome", "fetched_at"],
    ...noteOf(input),
  })),
  "export.destroyed": plain(SYSTEM, "export.destroyed"),
  "download.settled": plain(SYSTEM, "download.settled"),
  "source.received": aboutService(SYSTEM, "source.received"),
  "source.failed": handler(
    SYSTEM,
    z.strictObject({ service, error: text(100) }),
    (_, { service, error }) => ({
      event: { type: "source.failed", service, error },
      changedFields: ["participants"],
      failure: error,
    }),
  ),
  verified: handler(SYSTEM, verification, (_, { residue }) => ({
    event: { type: "verified", residue },
    changedFields: ["status"],
  })),
};

const confirmParticipant = (keys: PeerKeys) =>
  handler(
    SYSTEM,
    confirmation,
    async ({ ref, row }: { ref: ActorRef; row: GdprRequestRow }, { service, evidence = null, signature }) => {
      const key = { storeId: ref.storeId, requestId: ref.id, service };
      const signatureKey = await verifyConfirmation(
        Object.hasOwn(keys, service) ? keys[service]! : [],
        { ...key, customerId: row.customerId, evidence },
        signature,
      );
      return {
        event: { type: "participant.confirm", service },
        changedFields: ["participants"],
        ...(evidence && { texts: { evidence } }),
        write: (tx) =>
          upsertParticipant(tx, key, {
            state: "CONFIRMED",
            evidence,
            signature: signature ?? null,
            signatureKey: signatureKey ?? null,
            ...NO_WAIVER,
          }),
      };
    },
  );

/**
 * @param peerKeys public keys with which participants sign their confirmations
 * @param maxSignInAgeMs age of the sign-in up to which a customer may start the own erasure
 */
export function createRequestCommands(
  { peerKeys, maxSignInAgeMs }: { peerKeys: PeerKeys; maxSignInAgeMs: number },
) {
  const { proceed } = requestCommands;
  return {
    ...requestCommands,
    "participant.confirm": confirmParticipant(peerKeys),
    proceed: {
      ...proceed,
      decide: (context: DecisionContext & { row: GdprRequestRow }, input: z.output<typeof noInput>) => {
        requireRecentSignIn(`proceed with GDPR request ${context.ref.id}`, { ...context, maxSignInAgeMs });
        return proceed.decide(context, input);
      },
    },
  };
}

/** Description of each command, for the messages that refuse it. */
export const REQUEST_OPERATIONS = {
  open: "open",
  cancel: "cancel",
  release: "release",
  compiled: "complete",
  "access.closed": "start",
  "customer.changed": "review",
  "subject.erased": "end",
  hold: "hold",
  refuse: "refuse",
  extend: "extend",
  retry: "retry",
  waive: "waive a participant of",
  confirm: "confirm a proposal of",
  reject: "reject a proposal of",
  withdraw: "withdraw a proposal of",
  "subject.request": "open",
  "identity.verify": "verify the identity for",
  "identity.fail": "record a failed check of the identity for",
  "information.request": "request information for",
  "information.receive": "record the information for",
  proceed: "proceed with",
  "export.fetched": "record the download of",
  hand_over: "record the handover of the documents of",
  "export.destroyed": "record the end of the documents of",
  "download.settled": "start",
  "source.received": "record the data of a participant of",
  "source.failed": "record the failure of a participant of",
  "participant.confirm": "confirm",
  verified: "complete",
} satisfies Record<RequestCommand["type"], string>;

export type RequestCommand =
  | CommandOf<ReturnType<typeof createRequestCommands>>
  | { type: "open" } & z.input<typeof opening>;
