/** Schemas of a GDPR request in the REST API. */
import { AT_RISK_MS, CAUSES, OUTCOMES, THE_ERASURE } from "../../actors/gdpr/machines/events.ts";
import { receipt } from "../../actors/gdpr/requests/opening_input.ts";
import type { RequestSnapshot } from "../../actors/gdpr/requests/snapshot.ts";
import { CHANNELS, IDENTITY_METHODS, REPRESENTATION_GROUNDS, RIGHTS } from "../../actors/gdpr/types.ts";
import { isCancellable } from "../../domain/cancellation.ts";
import { HOLD_GROUNDS } from "../../domain/holds.ts";
import { profile } from "../../domain/profile.ts";
import { optionalText, text, uuid } from "../../domain/input.ts";
import {
  DELIVERIES,
  INFORMED,
  informedOf,
  isNoticeOverdue,
  NOTICE_KINDS,
  NOTICE_WAIVERS,
  REFUSAL_GROUNDS,
} from "../../domain/notices.ts";
import type { NoticeOfRequest } from "../../db/gdpr_notices.ts";
import type { GdprRequestRow, ParticipantRow } from "../../db/gdpr_requests.ts";
import type { FoundRequest } from "../../db/gdpr_search.ts";
import { z } from "../api.ts";
import { note } from "../free_text.ts";

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
  customerId: z.uuid().meta({ description: "The subject: a customer, or a person without an account" }),
  hasAccount: z.boolean().meta({
    description: "Whether the subject is a customer. A person without an account has only requests",
  }),
  type: z.enum(RIGHTS),
  status: z.enum(STATUSES),
  outcome: z.enum(OUTCOMES).nullable().meta({
    description:
      "Null until COMPLETED. FULFILLED_WITH_WAIVERS: at least one service was waived. NOT_FETCHED: the " +
      "documents expired or were destroyed before the subject had fetched them; until then the request is FULFILLED. NOT_IDENTIFIED: the identity of the person could not be checked",
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
  informed: z.enum(INFORMED).nullable().meta({
    description:
      "Whether the subject has been informed, whatever the status. PENDING: a notice is due or will be. OVERDUE: the due " +
      "date of a notice has passed. UNDELIVERABLE: the address has refused a notice. EXPIRED: a notice was never delivered. WAIVED: staff have waived a notice. DELIVERED: " +
      "every notice was delivered. Null: there are no notices",
  }),
  held: z.boolean().meta({
    description: "On hold before its processing begins: by staff, or by legal holds on the customer",
  }),
  atRisk: z.boolean().meta({
    description: "Open, and due within seven days; false while the clock is paused",
  }),
  overdue: z.boolean().meta({
    description: "Open, and its due date has passed; false while the clock is paused",
  }),
  createdAt: z.iso.datetime().meta({ description: "When the request was entered" }),
  receivedAt: z.iso.datetime().meta({ description: "When the request reached the store" }),
  channel: z.enum(CHANNELS),
  identityVerified: z.boolean().meta({
    description: "Whether the identity of the person has been checked. Processing begins only then",
  }),
  clockPausedSince: z.iso.datetime().nullable().meta({
    description:
      "When information was requested from the person that has not been received. The due date moves by the days of the pause",
  }),
  dueAt: z.iso.datetime().meta({
    description:
      "In the time zone of the store: the end of the day one calendar month after receipt, or three if it was extended; " +
      "if that is a Saturday, a Sunday or a holiday of the store, the end of the next working day",
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

const NoticeSchema = z.object({
  noticeId: z.uuid(),
  kind: z.enum(NOTICE_KINDS),
  delivery: z.enum(DELIVERIES).meta({
    description:
      "WAITING: due when the erasure is complete. DUE: communication-service has to deliver it. EXPIRED: it was not " +
      "delivered in time, and is not sent any more. UNDELIVERABLE: the address has refused it, or the subject was " +
      "erased and no address is left; it is not sent any more, unless communication-service tries again",
  }),
  overdue: z.boolean().meta({ description: "DUE, and its due date has passed" }),
  createdAt: z.iso.datetime(),
  dueAt: z.iso.datetime(),
  attempts: z.int().meta({
    format: "int32",
    description: "Number of times that it was published as due",
  }),
  settledAt: z.iso.datetime().nullable().meta({
    description: "When it was delivered or waived, has expired or could not be delivered",
  }),
  waiver: z.enum(NOTICE_WAIVERS).nullable(),
  waivedBy: z.uuid().nullable().meta({ description: "The staff member who waived it" }),
}).meta({ id: "GdprNotice" });
export const methodOfCheck = z.enum(IDENTITY_METHODS).meta({
  description:
    "SIGNED_IN: in the account. EMAIL_REPLY: the person answered a message to the email of the account. PHONE_CALLBACK: " +
    "staff called the number of the account. QUESTIONS: the person knew facts about the account. ID_DOCUMENT: the person " +
    "showed a document, of which no copy is kept",
});
/** Of a check or of a power of representation. */
const REFERENCE =
  "Where the proof is found, such as a ticket number; never the document itself. The erasure of the " +
  "customer removes it";
export const referenceOfCheck = optionalText(200).meta({ description: REFERENCE, example: "ticket 4711" });

export const receiptOfInformation = receipt.optional().meta({
  description:
    "When the information reached the store: a date in the time zone of the store, or an instant. Default: now",
});

const IdentitySchema = z.object({
  method: methodOfCheck.nullable().meta({ description: "Null until the check, and for a restored backup" }),
  reference: z.string().nullable(),
  verifiedBy: z.uuid().nullable(),
  verifiedAt: z.iso.datetime().nullable(),
  failures: z.int().meta({
    format: "int32",
    description: "Number of failed checks. The third ends the request",
  }),
  informationReason: z.string().nullable().meta({
    description: "Which information was requested from the person last, and why",
  }),
}).meta({ id: "IdentityCheck" });

const ground = z.enum(REPRESENTATION_GROUNDS);
const RepresentativeSchema = z.object({
  ground,
  name: z.string().nullable(),
  reference: z.string().nullable(),
}).meta({ id: "Representative" });

export const RequestSchema = z.object({
  ...sharedFields,
  state: StateSchema,
  cause: z.enum(CAUSES).meta({
    description:
      "REQUEST: by the subject, staff or a service. RETENTION: by the service itself, at the end of the " +
      "retention period of the closed account. RESTORE: by the service itself, as a restored backup contained data " +
      "that had been erased",
  }),
  proposal: z.object({ by: z.uuid() }).nullable().meta({
    description: "The staff member or service that has proposed the erasure, until a second person decides",
  }),
  confirmedBy: z.uuid().nullable().meta({
    description: "Who confirmed an erasure that staff had proposed: a second person, or the subject",
  }),
  confirmedAt: z.iso.datetime().nullable(),
  cancellable: z.boolean().meta({
    description:
      "Whether the subject and staff can cancel it: an erasure until it has started, an access or portability request " +
      "until it is completed",
  }),
  cancellableUntil: z.iso.datetime().nullable().meta({
    description:
      "Until when an erasure can be canceled: the end of its grace period, or of its wait for a download, which may also " +
      "end earlier. Null if there is no known end, as a check of the identity, a second person, another request or the " +
      "end of a hold has to come first; see `cancellable`. Null for the other types, too",
  }),
  identity: IdentitySchema,
  representative: RepresentativeSchema.nullable().meta({
    description:
      "The person who makes the request on behalf of the customer. The erasure removes the name and the reference",
  }),
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
  holdGround: z.enum(HOLD_GROUNDS).nullable().meta({
    description: "Legal ground of the last hold on the request; holds on the customer have their own",
  }),
  refusalGround: z.enum(REFUSAL_GROUNDS).nullable(),
  notices: z.array(NoticeSchema).meta({ description: "Notices to the subject, oldest first" }),
  participants: z.array(ParticipantSchema).meta({ description: "By name; empty until processing begins" }),
}).meta({ id: "GdprRequest" });

export const NewRequestSchema = z.strictObject({
  customerId: uuid.optional().meta({ description: "Required, unless `subject` is given" }),
  subject: profile.pick({ email: true, phone: true, locale: true }).optional().meta({
    id: "DataSubject",
    description:
      "Instead of `customerId`: contact data of a person without an account. They are stored encrypted, as long as the " +
      "requests of the person need them. If a customer has the email, the request is about that customer",
  }),
  type: z.enum(RIGHTS),
  corrections: profile.partial().optional().meta({
    description:
      "Required for a RECTIFICATION, not accepted otherwise: the correct values of at least one field of the profile",
  }),
  channel: z.enum(CHANNELS).optional().meta({
    description:
      "How the request was received. Default: OTHER for staff, ACCOUNT for services. ACCOUNT is for services that have " +
      "received it from the signed-in customer; it needs no further check of the identity",
  }),
  receivedAt: receipt.optional().meta({
    description:
      "When the request reached the store: a date in the time zone of the store, or an instant. At most 366 days ago. " +
      "Default: now",
    example: "2026-11-18",
  }),
  note,
  identity: z.strictObject({ method: methodOfCheck, reference: referenceOfCheck }).optional().meta({
    id: "NewIdentityCheck",
    description:
      "How the identity was checked. Required for a RECTIFICATION that was not received from the account; another " +
      "request without it waits for the check",
  }),
  representative: z.strictObject({
    ground,
    name: text(200),
    reference: referenceOfCheck,
  }).optional().meta({
    id: "NewRepresentative",
    description: "The person who makes the request on behalf of the customer, and on which ground",
  }),
}).meta({ id: "NewGdprRequest" });

export function summaryOf(request: FoundRequest, now: Date): z.output<typeof RequestSummarySchema> {
  const participants = request.participants.map(({ service, state }) => ({ service, state }));
  const notices = request.notices.map(({ delivery, dueAt }) => ({ delivery, dueAt: new Date(dueAt) }));
  return { ...sharedFieldsOf({ ...request, notices }, request, now), participants };
}

/**
 * Converts a request to its representation.
 *
 * @param now time at which `atRisk` and `overdue` are decided
 */
export function bodyOf(
  row: GdprRequestRow,
  { participants, notices }: {
    participants: readonly ParticipantRow[];
    notices: readonly NoticeOfRequest[];
  },
  now: Date,
): z.output<typeof RequestSchema> {
  // A snapshot of a machine that this version does not know may have another shape.
  const { value = row.status, context } = row.snapshot as Partial<RequestSnapshot>;
  const isHeld = typeof value === "object" && value.PENDING === "held";
  const proposals = row.status === "COMPLETED" ? {} : context?.proposals ?? {};
  const proposer = proposals[THE_ERASURE];
  return {
    ...sharedFieldsOf(
      { ...row, notices },
      { held: isHeld, proposed: Object.keys(proposals).length > 0 },
      now,
    ),
    state: value,
    cause: context?.cause ?? "REQUEST",
    proposal: proposer === undefined ? null : { by: proposer },
    confirmedBy: row.confirmedBy,
    confirmedAt: row.confirmedAt?.toISOString() ?? null,
    cancellable: isCancellable(row),
    cancellableUntil: row.cancellableUntil && row.cancellableUntil > now
      ? row.cancellableUntil.toISOString()
      : null,
    identity: {
      method: row.identityMethod,
      reference: row.identityReference,
      verifiedBy: row.identifiedBy,
      verifiedAt: row.identifiedAt?.toISOString() ?? null,
      failures: row.identityFailures,
      informationReason: row.informationReason,
    },
    representative: row.representativeGround === null ? null : {
      ground: row.representativeGround,
      name: row.representativeName,
      reference: row.representativeReference,
    },
    extended: context?.extended ?? false,
    residue: context?.residue ?? 0,
    reasons: {
      hold: row.holdReason,
      extension: row.extensionReason,
      refusal: row.refusalReason,
      cancellation: row.cancellationReason,
    },
    holdGround: row.holdGround,
    refusalGround: row.refusalGround,
    notices: notices.map(({ requestId: _, ...notice }) => ({
      ...notice,
      overdue: isNoticeOverdue(notice, now),
      createdAt: notice.createdAt.toISOString(),
      dueAt: notice.dueAt.toISOString(),
      settledAt: notice.settledAt?.toISOString() ?? null,
    })),
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
  request: Omit<FoundRequest, "state" | "held" | "proposed" | "participants" | "notices"> & {
    notices: readonly Pick<NoticeOfRequest, "delivery" | "dueAt">[];
  },
  { held, proposed }: Pick<FoundRequest, "held" | "proposed">,
  now: Date,
) {
  const { requestId, customerId, isGuest, type, status, outcome, createdAt, dueAt, completedAt } = request;
  const { requestedBy, machine, version, fetchedAt, fetchWaitEndsAt, informationRequestedAt } = request;
  const hasRunningClock = status !== "COMPLETED" && informationRequestedAt === null;
  const remainingMs = !hasRunningClock ? Infinity : dueAt.getTime() - now.getTime();
  return {
    requestId,
    customerId,
    hasAccount: !isGuest,
    type,
    status,
    outcome,
    proposed,
    fetchedAt: fetchedAt?.toISOString() ?? null,
    waitsForDownloadUntil: fetchWaitEndsAt?.toISOString() ?? null,
    informed: informedOf(request.notices, now),
    held,
    atRisk: remainingMs >= 0 && remainingMs <= AT_RISK_MS,
    overdue: remainingMs < 0,
    createdAt: createdAt.toISOString(),
    receivedAt: request.receivedAt.toISOString(),
    channel: request.channel,
    identityVerified: request.identifiedAt !== null,
    clockPausedSince: informationRequestedAt?.toISOString() ?? null,
    dueAt: dueAt.toISOString(),
    completedAt: completedAt?.toISOString() ?? null,
    requestedBy,
    machine,
    version,
  };
}
