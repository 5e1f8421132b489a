/** Schemas of a GDPR request in the REST API. */
import { AT_RISK_MS, CAUSES, OUTCOMES, THE_ERASURE } from "../../actors/gdpr/machines/events.ts";
import type { RequestSnapshot } from "../../actors/gdpr/requests/snapshot.ts";
import { RIGHTS } from "../../actors/gdpr/types.ts";
import { email } from "../../domain/email.ts";
import { optionalLocale, optionalPhone, optionalText, uuid } from "../../domain/input.ts";
import type { GdprRequestRow, ParticipantRow } from "../../db/gdpr_requests.ts";
import type { FoundRequest } from "../../db/gdpr_search.ts";
import { z } from "../api.ts";

export const STATUSES = ["PENDING", "IN_PROGRESS", "COMPLETED"] as const;
export { OUTCOMES };
const PARTICIPANT_STATES = ["ASKED", "RETRYING", "OVERDUE", "RECEIVED", "CONFIRMED", "WAIVED"] as const;

/** State of a machine. A nested state is an object with an entry for each active region. */
export const StateSchema = z.union([z.string(), z.record(z.string(), z.unknown())]).meta({
  description:
    "Diagnostic: the state of the request's state machine; a nested state is an object. Its names may change in every " +
    "version. Programs use `status`, `outcome`, `held` and `participants`.",
  example: { IN_PROGRESS: { awaiting_confirmations: { "order-service": "asked" } } },
});

const sharedFields = {
  requestId: z.uuid(),
  customerId: z.uuid(),
  type: z.enum(RIGHTS),
  status: z.enum(STATUSES),
  outcome: z.enum(OUTCOMES).nullable().meta({
    description:
      "Null until COMPLETED. FULFILLED_WITH_WAIVERS: at least one service was waived. NOT_FETCHED: the " +
      "documents expired or were destroyed before the subject had fetched them; until then the request is FULFILLED",
  }),
  proposed: z.boolean().meta({
    description: "Open, with the proposal of an erasure or of a waiver that a second person has to confirm",
  }),
  fetchedAt: z.iso.datetime().nullable().meta({
    description: "When the subject first downloaded the data of an export completely",
  }),
  waitsForDownloadUntil: z.iso.datetime().nullable().meta({
    description:
      "An erasure that waits for the subject to download the documents of an earlier request: the end of the wait",
  }),
  held: z.boolean().meta({
    description: "On hold before its processing begins: by staff, or by legal holds on the customer",
  }),
  atRisk: z.boolean().meta({ description: "Open, and due within seven days" }),
  overdue: z.boolean().meta({ description: "Open, and its due date has passed" }),
  createdAt: z.iso.datetime(),
  dueAt: z.iso.datetime().meta({
    description: "In UTC: one calendar month after receipt, counted in UTC; three if it was extended",
  }),
  completedAt: z.iso.datetime().nullable(),
  requestedBy: z.uuid().meta({
    description: "The subject, staff member or service that opened it",
  }),
  machine: z.string().meta({ description: "Diagnostic: the state machine of the request, as name@version" }),
  version: z.int().meta({ format: "int32", description: "Increases with every event; also the ETag" }),
};
const participation = { service: z.string(), state: z.enum(PARTICIPANT_STATES) };

export const RequestSummarySchema = z.object({
  ...sharedFields,
  participants: z.array(z.object(participation)).meta({
    description: "By name; empty until processing begins",
  }),
}).meta({ id: "GdprRequestSummary" });

const ParticipantSchema = z.object({
  ...participation,
  attempts: z.int().meta({
    format: "int32",
    description: "Number of attempts since the last retry by staff",
  }),
  nextAttemptAt: z.iso.datetime().nullable().meta({ description: "Null: there is no automatic retry" }),
  lastError: z.string().nullable(),
  evidence: z.string().nullable().meta({
    description: "The service's own statement of what it has done; removed when the erasure completes",
  }),
  signed: z.boolean().meta({
    description: "Whether the service has signed its confirmation; the receipt contains the signature",
  }),
  waiverReason: z.string().nullable().meta({
    description: "Of the waiver, or of its proposal; for the customer",
  }),
  waiverProposedBy: z.uuid().nullable().meta({
    description: "The staff member who proposed the waiver, or waived alone",
  }),
  waiverProposedAt: z.iso.datetime().nullable(),
  waiverConfirmedBy: z.uuid().nullable().meta({ description: "The second person" }),
  settledAt: z.iso.datetime().nullable(),
}).meta({ id: "GdprParticipant" });

export const RequestSchema = z.object({
  ...sharedFields,
  state: StateSchema,
  cause: z.enum(CAUSES).meta({
    description:
      "REQUEST: by the subject, staff or a service. RETENTION: by the service itself, at the end of the " +
      "retention period of the closed account. RESTORE: by the service itself, as a restored backup contained data " +
      "that had been erased",
  }),
  startsAt: z.iso.datetime().nullable().meta({
    description:
      "When an erasure starts by itself; until then the subject may cancel it. Null for other types",
  }),
  proposal: z.object({ by: z.uuid() }).nullable().meta({
    description: "The staff member or service that has proposed the erasure, until a second person decides",
  }),
  confirmedBy: z.uuid().nullable().meta({
    description: "Who confirmed an erasure that staff had proposed: a second person, or the subject",
  }),
  confirmedAt: z.iso.datetime().nullable(),
  extended: z.boolean().meta({
    description: "True if staff have moved the due date to three months after receipt",
  }),
  residue: z.int().meta({
    description: "Number of rows in which the search after an erasure has found personal values",
  }),
  reasons: z.object({
    hold: z.string().nullable(),
    extension: z.string().nullable(),
    refusal: z.string().nullable(),
    cancellation: z.string().nullable(),
  }).meta({ description: "Free text of staff for the customer, until the erasure of the customer" }),
  participants: z.array(ParticipantSchema).meta({ description: "By name; empty until processing begins" }),
}).meta({ id: "GdprRequest" });

export const NewRequestSchema = z.strictObject({
  customerId: uuid,
  type: z.enum(RIGHTS),
  corrections: z.strictObject({
    email: email.optional(),
    firstName: optionalText(100),
    lastName: optionalText(100),
    phone: optionalPhone.meta({ description: "E.164", example: "+41445551234" }),
    locale: optionalLocale.meta({ description: "BCP 47", example: "de-CH" }),
  }).optional().meta({
    description:
      "Required for a RECTIFICATION, not accepted otherwise: the correct values of at least one field of the profile",
  }),
}).meta({ id: "NewGdprRequest" });

export function summaryOf(request: FoundRequest, now: Date): z.output<typeof RequestSummarySchema> {
  const participants = request.participants.map(({ service, state }) => ({ service, state }));
  return { ...sharedFieldsOf(request, request, now), participants };
}

/**
 * Converts a request to its representation.
 *
 * @param now time at which `atRisk` and `overdue` are decided
 */
export function bodyOf(
  row: GdprRequestRow,
  participants: readonly ParticipantRow[],
  now: Date,
): z.output<typeof RequestSchema> {
  // A snapshot of a machine that this version does not know may have another shape.
  const { value = row.status, context } = row.snapshot as Partial<RequestSnapshot>;
  const isHeld = typeof value === "object" && value.PENDING === "held";
  const proposals = row.status === "COMPLETED" ? {} : context?.proposals ?? {};
  const proposer = proposals[THE_ERASURE];
  return {
    ...sharedFieldsOf(row, { held: isHeld, proposed: Object.keys(proposals).length > 0 }, now),
    state: value,
    cause: context?.cause ?? "REQUEST",
    startsAt: row.type === "ERASURE" && context ? new Date(context.startsAt).toISOString() : null,
    proposal: proposer === undefined ? null : { by: proposer },
    confirmedBy: row.confirmedBy,
    confirmedAt: row.confirmedAt?.toISOString() ?? null,
    extended: context?.extended ?? false,
    residue: context?.residue ?? 0,
    reasons: {
      hold: row.holdReason,
      extension: row.extensionReason,
      refusal: row.refusalReason,
      cancellation: row.cancellationReason,
    },
    participants: participants.map(({ signature, signatureKey: _, ...participant }) => ({
      ...participant,
      signed: signature !== null,
      waiverProposedAt: participant.waiverProposedAt?.toISOString() ?? null,
      nextAttemptAt: participant.nextAttemptAt?.toISOString() ?? null,
      settledAt: participant.settledAt?.toISOString() ?? null,
    })),
  };
}

function sharedFieldsOf(
  request: Omit<FoundRequest, "state" | "held" | "proposed" | "participants">,
  { held, proposed }: Pick<FoundRequest, "held" | "proposed">,
  now: Date,
) {
  const { requestId, customerId, type, status, outcome, createdAt, dueAt, completedAt } = request;
  const { requestedBy, machine, version, fetchedAt, fetchWaitEndsAt } = request;
  const remainingMs = status === "COMPLETED" ? Infinity : dueAt.getTime() - now.getTime();
  return {
    requestId,
    customerId,
    type,
    status,
    outcome,
    proposed,
    fetchedAt: fetchedAt?.toISOString() ?? null,
    waitsForDownloadUntil: fetchWaitEndsAt?.toISOString() ?? null,
    held,
    atRisk: remainingMs >= 0 && remainingMs <= AT_RISK_MS,
    overdue: remainingMs < 0,
    createdAt: createdAt.toISOString(),
    dueAt: dueAt.toISOString(),
    completedAt: completedAt?.toISOString() ?? null,
    requestedBy,
    machine,
    version,
  };
}
