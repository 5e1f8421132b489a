/** Subject and text of a notice, from the facts of its request and the settings of the store. */
import type { GdprRequestRow, ParticipantRow } from "../../../db/gdpr_requests.ts";
import { isCancellable } from "../../../domain/cancellation.ts";
import type { NoticeKind } from "../../../domain/notices.ts";
import type { StoreSettings } from "../../../domain/store_settings.ts";
import { createPresentation, type Presentation } from "../exports/documents/presentation.ts";
import type { RequestSnapshot } from "../requests/snapshot.ts";
import { fill } from "../texts/texts.ts";

export interface NoticeFacts {
  kind: NoticeKind;
  request: GdprRequestRow;
  participants: readonly Pick<ParticipantRow, "service" | "state">[];
  settings: StoreSettings;
  /** Locale of the recipient (BCP 47). */
  locale: string | null;
}

export interface ComposedNotice {
  /** BCP 47. */
  language: string;
  subject: string;
  /** Paragraphs, separated by blank lines. */
  text: string;
}

export function composeNotice(facts: NoticeFacts): ComposedNotice {
  const presentation = createPresentation(facts);
  const { texts } = presentation;
  const { kinds, withoutAccount } = texts.notices;
  const { subject, text } = kinds[facts.kind];
  const isReadyForGuest = facts.kind === "READY" && facts.request.isGuest;
  const paragraphs = [
    fill(isReadyForGuest ? withoutAccount.ready : text, valuesOf(facts, presentation)),
    ...details(facts, presentation),
    ...senderOf(facts, presentation),
  ];
  return { language: texts.language, subject, text: paragraphs.join("\n\n") };
}

/** Values of the placeholders; a time that the request does not have yet has none. */
function valuesOf({ request }: NoticeFacts, { texts, formatTime }: Presentation): Record<string, string> {
  const { requestId, type, receivedAt, dueAt, completedAt } = request;
  const { context } = request.snapshot as RequestSnapshot;
  return {
    request: requestId,
    right: texts.values[type] ?? type,
    received: formatTime(receivedAt),
    due: formatTime(dueAt),
    completed: formatTime(completedAt ?? dueAt),
    until: formatTime(new Date(context.expiresAt ?? request.cancellableUntil ?? dueAt)),
  };
}

/** The paragraphs that depend on the kind of the notice and on the decisions of the store. */
function details(facts: NoticeFacts, presentation: Presentation): string[] {
  const { kind, request, participants } = facts;
  const { texts: { notices } } = presentation;
  const { cancellable, cancellableUntil } = request.isGuest ? notices.withoutAccount : notices;
  const reason = (text: string | null) => text === null ? [] : [fill(notices.reason, { reason: text })];
  switch (kind) {
    case "RECEIVED":
      return isErasureWithTime(request)
        ? [fill(request.cancellableUntil ? cancellableUntil : cancellable, valuesOf(facts, presentation))]
        : [];
    case "IDENTITY_NEEDED":
      return reason(request.informationReason);
    case "EXTENDED":
      return reason(request.extensionReason);
    case "REFUSED": {
      const ground = request.outcome === "NOT_IDENTIFIED" ? "IDENTITY_NOT_PROVEN" : request.refusalGround;
      return [
        ...(ground === null ? [] : [fill(notices.ground, { ground: notices.grounds[ground] })]),
        ...reason(request.refusalReason),
        complaint(facts, presentation),
        notices.remedy,
      ];
    }
    case "CANCELLED":
      return reason(request.cancellationReason);
    case "ERASED": {
      const waived = participants.filter(({ state }) => state === "WAIVED").map(({ service }) => service);
      return waived.length === 0 ? [] : [fill(notices.waived, { services: waived.join(", ") })];
    }
    default:
      return [];
  }
}

/** Whether the request is an erasure that has not begun, and does not begin at once. */
function isErasureWithTime(request: GdprRequestRow): boolean {
  const { type, createdAt, cancellableUntil } = request;
  return type === "ERASURE" && isCancellable(request) &&
    (cancellableUntil === null || cancellableUntil > createdAt);
}

function complaint({ settings: { supervisoryAuthority } }: NoticeFacts, { texts }: Presentation): string {
  if (!supervisoryAuthority) return texts.rights.complaint.text;
  const { name: authority, complaint } = supervisoryAuthority;
  return fill(texts.complaintToAuthority, { authority, complaint });
}

function senderOf({ settings, request }: NoticeFacts, { texts: { notices } }: Presentation): string[] {
  const { controller, dataProtectionContact: contact } = settings;
  return [
    fill(notices.reference, { request: request.requestId }),
    ...(controller
      ? [fill(notices.controller, { controller: `${controller.name}, ${controller.address}` })]
      : []),
    ...(contact ? [fill(notices.contact, { contact })] : []),
  ];
}
