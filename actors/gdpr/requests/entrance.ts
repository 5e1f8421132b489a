/** Entrance of a request: when and how it was received, and whether the identity of the person is known. */
import type { z } from "zod";
import type { Columns } from "../../runtime/behavior.ts";
import { DomainError } from "../../../domain/errors.ts";
import type { Principal } from "../../../domain/principal.ts";
import type { ReceiptChannel } from "../types.ts";
import { startOfDay, type WorkCalendar } from "./clock.ts";
import { nameSubject, type opening } from "./opening_input.ts";

type Opening = z.output<typeof opening>;

/** Age in days up to which a request is accepted. */
const MAX_AGE_DAYS = 366;
const DAY_MS = 24 * 60 * 60_000;

export interface Entrance {
  receivedAt: Date;
  channel: ReceiptChannel;
  /** Whether the identity of the person has been checked. */
  isIdentified: boolean;
  columns: Columns;
  /** Free text, by the names of its fields. */
  texts: Record<string, string>;
}

/**
 * @param now time at which the request is entered
 * @throws {DomainError} INVALID_INPUT: the caller may not state a field, or its value is not plausible
 */
export function entranceOf(
  input: Opening,
  { by, now, calendar }: { by: Principal; now: Date; calendar: WorkCalendar },
): Entrance {
  const { cause, identity, representative, right } = input;
  if (by.type === "CUSTOMER") refuseStatements(input);
  const channel = channelOf(input, by);
  const receivedAt = receiptOf(input, now, calendar);
  const isFromAccount = channel === "ACCOUNT" && representative === undefined;
  const isIdentified = isFromAccount || cause !== "REQUEST" || identity !== undefined;
  if (right === "RECTIFICATION" && !isIdentified) {
    throw refusal(input, "identity", "is required: a rectification changes the profile at once");
  }
  const method = identity?.method ?? (isFromAccount ? "SIGNED_IN" : null);
  return {
    receivedAt,
    channel,
    isIdentified,
    texts: {
      ...(identity?.reference && { "identity.reference": identity.reference }),
      ...(representative?.reference && { "representative.reference": representative.reference }),
    },
    columns: {
      channel,
      receivedAt,
      ...(isIdentified && {
        identifiedAt: now,
        identifiedBy: by.id,
        ...(method && { identityMethod: method }),
        ...(identity?.reference && { identityReference: identity.reference }),
      }),
      ...(representative && {
        representativeGround: representative.ground,
        representativeName: representative.name,
        ...(representative.reference && { representativeReference: representative.reference }),
      }),
    },
  };
}

/** Statements of staff and of services. A customer makes the request now, in the own account. */
const STATEMENTS = ["subject", "channel", "receivedAt", "note", "identity", "representative"] as const;

function refuseStatements(input: Opening): void {
  const stated = STATEMENTS.find((field) => input[field] !== undefined && input[field] !== null);
  if (stated) throw refusal(input, stated, "is not accepted from the customer");
}

function channelOf(input: Opening, by: Principal): ReceiptChannel {
  const { channel, cause, subject } = input;
  if (subject && channel === "ACCOUNT") {
    throw refusal(input, "channel", "must not be ACCOUNT for a person who is named by an email");
  }
  if (by.type === "STAFF" && channel === "ACCOUNT") {
    throw refusal(
      input,
      "channel",
      "must not be ACCOUNT: from the account, customers open their requests themselves",
    );
  }
  return channel ?? (by.type === "STAFF" || cause !== "REQUEST" || subject ? "OTHER" : "ACCOUNT");
}

function receiptOf(input: Opening, now: Date, calendar: WorkCalendar): Date {
  const { receivedAt: stated } = input;
  if (stated === undefined) return now;
  const at = stated.includes("T") ? new Date(stated) : startOfDay(stated, calendar);
  if (at > now) throw refusal(input, "receivedAt", "must not be in the future");
  if (now.getTime() - at.getTime() > MAX_AGE_DAYS * DAY_MS) {
    throw refusal(input, "receivedAt", `must be at most ${MAX_AGE_DAYS} days ago`);
  }
  return at;
}

function refusal(input: Opening, field: string, message: string): DomainError {
  return new DomainError(
    "INVALID_INPUT",
    `Cannot open a GDPR request of ${nameSubject(input.customerId)}: ${field} ${message}`,
    { fields: [{ field, message }] },
  );
}
