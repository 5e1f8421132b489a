/**
 * Effects and messages of machines. A machine names them in its actions, as data; the runtime stores them in the
 * transaction of the event, and carries nothing out inside that transaction.
 */

import type { NoticeKind } from "../domain/notices.ts";

/** A domain event for other services: its topic and its fields, in addition to the IDs that every event has. */
export type Publish =
  | { topic: "customer.created" }
  /** `changedFields` are names of columns. */
  | { topic: "customer.updated"; changedFields: readonly string[]; status?: string }
  | { topic: "customer.group_assigned"; groupId: string }
  | { topic: "customer.group_removed"; groupId: string }
  | {
    topic: "customer.erasure_requested";
    requestId: string;
    participants: readonly string[];
    /** Hashes for participants, in hexadecimal, with the IDs of their keys. */
    emailHashes: readonly { keyId: string; hash: string }[];
    customerVersion: number;
  }
  | {
    topic: "customer.erased";
    requestId: string;
    /** Hashes of the erasure memory, in hexadecimal. */
    emailHashes: readonly string[];
    erasedAt: Date;
    /** ID of the key that made the proof. */
    keyId: string;
    /** HMAC of the entry, in hexadecimal. */
    proof: string;
    waivedParticipants: readonly string[];
    customerVersion: number;
  }
  | { topic: "gdpr.notice_due"; noticeId: string; requestId: string; kind: NoticeKind; attempt: number };

/** A line in the platform's audit log. SCREAMING_SNAKE, past tense. */
export interface Audit {
  action: string;
}

/** Something to be performed after the transaction, at least once, by the worker. */
interface EffectRequest {
  effect: EffectType;
  params: Record<string, string>;
}

export type EffectType =
  /** Takes every customer out of a deleted group. */
  | "memberships.end"
  /** Asks a source for what it holds about the subject. */
  | "source.collect"
  /** Makes the documents of an access or portability request. */
  | "export.compile"
  /** Has the open erasure of a customer take notice of a change of the customer. */
  | "erasure.review"
  /** Looks whether an erasure has left anything. */
  | "erasure.verify";

/** Declarations, for XState's `setup`, of the actions that the runtime carries out for every kind of actor. */
export const sharedActions = {
  publish: (_: unknown, _message: Publish) => {},
  audit: (_: unknown, _line: Audit) => {},
  perform: (_: unknown, _effect: EffectRequest) => {},
};
