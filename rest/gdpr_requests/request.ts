/** A GDPR request as the REST API shows and takes it. */
import { AT_RISK_MS } from "../../actors/gdpr/machines/events.ts";
import type { RequestSnapshot } from "../../actors/gdpr/requests/snapshot.ts";
import { RIGHTS } from "../../actors/gdpr/vocabulary.ts";
import { email } from "../../domain/email.ts";
import { optionalLocale, optionalPhone, optionalText, uuid } from "../../domain/input.ts";
import type { GdprRequestRow, ParticipantRow } from "../../db/gdpr_requests.ts";
import type { FoundRequest } from "../../db/gdpr_search.ts";
import { z } from "../api.ts";

export const STATUSES = ["PENDING", "IN_PROGRESS", "COMPLETED"] as const;
export const OUTCOMES = ["FULFILLED", "CANCELLED", "REFUSED"] as const;
const PARTICIPANT_STATES = ["ASKED", "RETRYING", "OVERDUE", "RECEIVED", "CONFIRMED", "WAIVED"] as const;

/** A machine's state. One that is nested is an object, with an entry for each region that is active. */
export const StateSchema = z.union([z.string(), z.record(z.string(), z.unknown())]).meta({
  description: "The state of the request's machine; a nested one as an object",
  example: { IN_PROGRESS: { awaiting_confirmations: { "order-service": "asked" } } },
});

const facts = {
  requestId: z.uuid(),
  customerId: z.uuid(),
  type: z.enum(RIGHTS),
  status: z.enum(STATUSES),
  outcome: z.enum(OUTCOMES).nullable().meta({ description: "Null until COMPLETED" }),
  held: z.boolean().meta({ description: "Held back by staff before its work has begun" }),
  atRisk: z.boolean().meta({ description: "Open, and due within seven days" }),
  overdue: z.boolean().meta({ description: "Open, and its due date has passed" }),
  createdAt: z.iso.datetime(),
  dueAt: z.iso.datetime().meta({
    description: "In UTC: one calendar month after receipt, counted in UTC; three if it was extended",
  }),
  completedAt: z.iso.datetime().nullable(),
  requestedBy: z.uuid().meta({
    description: "The subject, the member of staff or the service that opened it",
  }),
  machine: z.string().meta({ description: "The machine that leads it, as name@version" }),
  version: z.int().meta({ description: "Rises with every event; also the ETag" }),
};
const participation = { service: z.string(), state: z.enum(PARTICIPANT_STATES) };

export const RequestSummarySchema = z.object({
  ...facts,
  participants: z.array(z.object(participation)).meta({
    description: "By name; empty until the work begins",
  }),
}).meta({ id: "GdprRequestSummary" });

const ParticipantSchema = z.object({
  ...participation,
  attempts: z.int().meta({ description: "How often it was asked since somebody last looked at it" }),
  nextAttemptAt: z.iso.datetime().nullable().meta({ description: "Null: it is not asked again by itself" }),
  lastError: z.string().nullable(),
  evidence: z.string().nullable().meta({ description: "What the service has said of what it did" }),
  waiverReason: z.string().nullable(),
  settledAt: z.iso.datetime().nullable(),
}).meta({ id: "GdprParticipant" });

export const RequestSchema = z.object({
  ...facts,
  state: StateSchema,
  extended: z.boolean().meta({ description: "Staff have moved the due date to three months after receipt" }),
  residue: z.int().meta({ description: "In how many rows the search after an erasure has found something" }),
  reasons: z.object({
    hold: z.string().nullable(),
    extension: z.string().nullable(),
    refusal: z.string().nullable(),
  }).meta({ description: "The staff's own words" }),
  participants: z.array(ParticipantSchema).meta({ description: "By name; empty until the work begins" }),
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
      "With a RECTIFICATION and with nothing else: at least one field of the profile, as it should be",
  }),
}).meta({ id: "NewGdprRequest" });

export function summaryOf(request: FoundRequest, now: Date): z.output<typeof RequestSummarySchema> {
  const participants = request.participants.map(({ service, state }) => ({ service, state }));
  return { ...factsOf(request, request.held, now), participants };
}

/** @param now decides what is at risk and overdue */
export function bodyOf(
  row: GdprRequestRow,
  participants: readonly ParticipantRow[],
  now: Date,
): z.output<typeof RequestSchema> {
  // What a machine has stored that this version does not know need not have our form.
  const { value = row.status, context } = row.snapshot as Partial<RequestSnapshot>;
  const held = typeof value === "object" && value.PENDING === "held";
  return {
    ...factsOf(row, held, now),
    state: value,
    extended: row.extensionReason !== null,
    residue: context?.residue ?? 0,
    reasons: { hold: row.holdReason, extension: row.extensionReason, refusal: row.refusalReason },
    participants: participants.map(({ nextAttemptAt, settledAt, ...participant }) => ({
      ...participant,
      nextAttemptAt: nextAttemptAt?.toISOString() ?? null,
      settledAt: settledAt?.toISOString() ?? null,
    })),
  };
}

function factsOf(request: Omit<FoundRequest, "state" | "held" | "participants">, held: boolean, now: Date) {
  const { requestId, customerId, type, status, outcome, createdAt, dueAt, completedAt } = request;
  const { requestedBy, machine, version } = request;
  const left = status === "COMPLETED" ? Infinity : dueAt.getTime() - now.getTime();
  return {
    requestId,
    customerId,
    type,
    status,
    outcome,
    held,
    atRisk: left >= 0 && left <= AT_RISK_MS,
    overdue: left < 0,
    createdAt: createdAt.toISOString(),
    dueAt: dueAt.toISOString(),
    completedAt: completedAt?.toISOString() ?? null,
    requestedBy,
    machine,
    version,
  };
}
