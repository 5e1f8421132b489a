/** Notices to a customer about a GDPR request. */

/**
 * EXTENDED: the due date has moved. READY: the documents can be downloaded. IDENTITY_NEEDED: the store cannot answer
 * before it knows who has sent the request.
 */
export const NOTICE_KINDS = [
  "RECEIVED",
  "IDENTITY_NEEDED",
  "EXTENDED",
  "REFUSED",
  "CANCELLED",
  "READY",
  "ERASED",
  "RECTIFIED",
] as const;
export type NoticeKind = (typeof NOTICE_KINDS)[number];

/**
 * WAITING: due when the erasure is complete. DUE: communication-service has to deliver it. WAIVED: staff have decided
 * that it is not delivered electronically. EXPIRED: neither has happened in time. UNDELIVERABLE: the address has refused
 * it, or the customer was erased and no address is left.
 */
export const DELIVERIES = ["WAITING", "DUE", "DELIVERED", "WAIVED", "EXPIRED", "UNDELIVERABLE"] as const;
export type NoticeDelivery = (typeof DELIVERIES)[number];

/** Why staff waive a notice: the customer has received it in another way, or cannot or need not receive it. */
export const NOTICE_WAIVERS = [
  "SENT_BY_LETTER",
  "GIVEN_BY_PHONE",
  "GIVEN_IN_PERSON",
  "UNREACHABLE",
  "NOT_REQUIRED",
] as const;
export type NoticeWaiver = (typeof NOTICE_WAIVERS)[number];

/**
 * Whether the customer has been informed of a request. OVERDUE: the due date of a notice has passed without its
 * delivery. UNDELIVERABLE: the address has refused a notice. EXPIRED: a notice was never delivered. PENDING: a notice is
 * due or will be. WAIVED: everything is settled, and at least one notice was waived. DELIVERED: every notice was
 * delivered.
 */
export const INFORMED = ["OVERDUE", "UNDELIVERABLE", "EXPIRED", "PENDING", "WAIVED", "DELIVERED"] as const;
export type Informed = (typeof INFORMED)[number];

interface NoticeFacts {
  delivery: NoticeDelivery;
  dueAt: Date;
}

export function isNoticeOverdue({ delivery, dueAt }: NoticeFacts, now: Date): boolean {
  return delivery === "DUE" && dueAt < now;
}

/** Whether the customer has to be informed in another way: the delivery is overdue, has failed or was given up. */
export function isNoticeLate(notice: NoticeFacts, now: Date): boolean {
  const { delivery } = notice;
  return delivery === "EXPIRED" || delivery === "UNDELIVERABLE" || isNoticeOverdue(notice, now);
}

/** Returns null for a request without notices, such as the repetition of an erasure after a restore. */
export function informedOf(notices: readonly NoticeFacts[], now: Date): Informed | null {
  if (notices.length === 0) return null;
  const has = (delivery: NoticeDelivery) => notices.some((notice) => notice.delivery === delivery);
  if (notices.some((notice) => isNoticeOverdue(notice, now))) return "OVERDUE";
  if (has("UNDELIVERABLE")) return "UNDELIVERABLE";
  if (has("EXPIRED")) return "EXPIRED";
  if (has("DUE") || has("WAITING")) return "PENDING";
  return has("WAIVED") ? "WAIVED" : "DELIVERED";
}

/** Legal grounds of a refusal. */
export const REFUSAL_GROUNDS = [
  "MANIFESTLY_UNFOUNDED",
  "EXCESSIVE",
  "IDENTITY_NOT_PROVEN",
  "RIGHTS_OF_OTHERS",
  "LEGAL_OBLIGATION",
  "LEGAL_CLAIMS",
  "FREEDOM_OF_EXPRESSION",
  "PUBLIC_INTEREST",
  "NO_RIGHT",
] as const;
export type RefusalGround = (typeof REFUSAL_GROUNDS)[number];
