/** Creation of a request: finds and checks the subject, and chooses the machine and its input. */
import type { z } from "zod";
import type { EmailHash } from "../../../db/email_hashes.ts";
import { findOpenRequests, isIdentified, lockRequest } from "../../../db/gdpr_requests.ts";
import { settingsOf } from "../../../db/store_settings.ts";
import { storeAnnouncement } from "../../../db/retention.ts";
import { erasureStart } from "../../../domain/retention.ts";
import { participantsOf, type StoreSettings } from "../../../domain/store_settings.ts";
import { authorizeSubject } from "../../runtime/authorization.ts";
import type { ActionStep, Beginning, Creation, CreationScene, Redirection } from "../../runtime/behavior.ts";
import { authorizeEmailChange } from "../../../domain/authorization.ts";
import { DomainError } from "../../../domain/errors.ts";
import type { Principal } from "../../../domain/principal.ts";
import { stateName } from "../../runtime/recorded_event.ts";
import { transactionOf } from "../../runtime/storage.ts";
import type { Answer } from "../../runtime/protocol.ts";
import { calendarOf, dueDate } from "./clock.ts";
import { entranceOf } from "./entrance.ts";
import { identifySubject, lockSubject, type Subject } from "./subject.ts";
import { requireRecentSignIn } from "./recent_sign_in.ts";
import type { RequestInput } from "../machines/events.ts";
import { CURRENT_MACHINE, machineOf, restoreRequest } from "./snapshot.ts";
import type { SealingKey } from "../../../lib/sealing.ts";
import { OWN_DATA } from "../types.ts";
import { nameSubject, opening } from "./opening_input.ts";
import type { Commands } from "../../commands.ts";

export interface OpeningSettings {
  /** Names of the other services that hold data of customers. The settings of a store may choose some of them. */
  participants: readonly string[];
  /**
   * How long a customer may cancel an erasure before it starts, in milliseconds, unless the settings of the store say
   * otherwise.
   */
  graceMs: number;
  /**
   * Whether a second person confirms an erasure that the customer has not requested, and the waiver of a participant
   * of an erasure.
   */
  fourEyes: boolean;
  /** Age of the sign-in up to which a customer may request the own erasure, in milliseconds. */
  maxSignInAgeMs: number;
  /** Hashes with every key, the current one first. */
  hashEmail(email: string): Promise<EmailHash[]>;
  /** The hashes of `hashEmail` by which the erasure memory knows the email. */
  hashForMemory(email: string): Uint8Array[];
  /** Seal contact data and recipients of notices: the current key, followed by earlier ones. */
  sealingKeys: readonly [SealingKey, ...SealingKey[]];
  /** Returns a number from 0 to 1; Math.random by default. */
  random?: () => number;
}

type Opening = z.output<typeof opening>;

export const openRequest = (settings: OpeningSettings): Creation => ({
  type: "open",
  by: ["CUSTOMER", "STAFF", "SYSTEM"],
  input: opening,
  begin: (scene, input: Opening) => begin(settings, scene, input),
});

/** @throws {DomainError} FORBIDDEN: another customer, an email that the caller may not change, or a cause of the service */
function authorizeOpening(
  { customerId, corrections, cause }: Pick<Opening, "customerId" | "corrections" | "cause">,
  by: Principal,
): void {
  const subject = nameSubject(customerId);
  authorizeSubject(`open a GDPR request of ${subject}`, customerId, by);
  if (corrections?.email !== undefined) authorizeEmailChange(`correct the email of ${subject}`, by);
  if (cause !== "REQUEST" && by.type !== "SYSTEM") {
    throw new DomainError(
      "FORBIDDEN",
      `Cannot open a GDPR request of ${subject}: only the service itself may give the cause ${cause}`,
    );
  }
}

async function begin(
  settings: OpeningSettings,
  scene: CreationScene,
  opened: Opening,
): Promise<Beginning | Redirection | Answer> {
  const { participants, graceMs, fourEyes, maxSignInAgeMs, random = Math.random } = settings;
  const { ref, by, readTime } = scene;
  const { storeId } = ref;
  const tx = transactionOf(scene);
  const { right: type, corrections, cause, note } = opened;
  authorizeOpening(opened, by);
  const customerId = opened.customerId ??
    await identifySubject(tx, settings, { storeId, contact: opened.subject! }, readTime);
  const [subject, now, storeSettings] = await Promise.all([
    lockSubject(tx, { storeId, customerId }),
    readTime(),
    settingsOf(tx, storeId),
  ]);
  if (type === "ERASURE") {
    requireRecentSignIn(`open a GDPR request of customer ${customerId}`, { by, now, maxSignInAgeMs });
  }
  if (!subject) throw new DomainError("NOT_FOUND", `Cannot find customer ${customerId}`);
  if (subject.isGuest && type === "RECTIFICATION") throw rectificationOfGuest();
  if (subject.isGuest && subject.sealedContact === null && !subject.anonymizedAt) {
    throw withoutContact(customerId);
  }
  const calendar = calendarOf(storeSettings);
  const entrance = entranceOf(opened, { by, now, calendar });
  const requests = await findOpenRequests(tx, storeId, customerId, [type]);
  const open = requests.find((request) => isIdentified(request) === entrance.isIdentified);
  if (open) {
    const snapshot = restoreRequest(await lockRequest(tx, storeId, open.requestId) ?? open);
    const confirmation = { type: "subject.request", at: now.getTime() };
    if (by.type === "CUSTOMER" && snapshot.can(confirmation)) {
      return { ref: { ...ref, id: open.requestId }, command: { type: confirmation.type, input: {} } };
    }
    const state = stateName(snapshot);
    return { id: open.requestId, state, version: open.version, ids: {}, changed: false };
  }
  if (subject.anonymizedAt) {
    throw new DomainError(
      "REFUSED_IN_STATE",
      `Cannot open a GDPR request of customer ${customerId}: the customer has been erased`,
    );
  }

  const retention = cause === "RETENTION" ? requireRetention(customerId, subject, storeSettings) : undefined;
  if (retention) await storeAnnouncement(tx, { storeId, customerId }, now);
  const machine = CURRENT_MACHINE[type];
  const others = participantsOf(participants, storeSettings);
  const services = type === "ERASURE" ? others : [OWN_DATA, ...others];
  const due = dueDate(entrance.receivedAt, calendar, { months: 1 });
  const delayMs = type === "ERASURE" && cause === "REQUEST" ? graceOf(storeSettings, graceMs) : 0;
  const needsSecondPerson = fourEyes && type === "ERASURE" && cause === "REQUEST" && by.type !== "CUSTOMER";
  const input: RequestInput = {
    receivedAt: entrance.receivedAt.getTime(),
    openedAt: now.getTime(),
    dueAt: due.getTime(),
    startsAt: retention
      ? erasureStart(retention.closedAt, retention.days, now).getTime()
      : now.getTime() + delayMs,
    participants: type === "RECTIFICATION" ? [] : services,
    cause,
    spread: random(),
    customerHeld: type === "ERASURE" && subject.holds > 0,
    ...(needsSecondPerson && { proposedBy: by.id }),
    ...(!entrance.isIdentified && { unidentified: true }),
  };
  return {
    machine: machineOf(machine, input.participants),
    input,
    columns: {
      customerId,
      ...(subject.isGuest && { isGuest: true }),
      type,
      requestedBy: by.id,
      machine,
      ...entrance.columns,
    },
    customerId,
    note: note ?? undefined,
    texts: entrance.texts,
    ...(corrections && {
      follow: ({ send }: ActionStep<unknown, Commands>) =>
        send({ kind: "customer", storeId, id: customerId }, {
          type: "profile.update",
          ...corrections,
        }),
    }),
  };
}

/** Without the email no other service finds the data of a guest. */
function withoutContact(customerId: string): DomainError {
  return new DomainError(
    "REFUSED_IN_STATE",
    `Cannot open a GDPR request of person ${customerId}: the contact data were destroyed; name the person by the email`,
  );
}

function rectificationOfGuest(): DomainError {
  const message = "must not be RECTIFICATION: a person without an account has no profile";
  return new DomainError("INVALID_INPUT", `Cannot open a GDPR request: type ${message}`, {
    fields: [{ field: "type", message }],
  });
}

/** @throws {DomainError} REFUSED_IN_STATE: the account is open or held, or the store keeps closed accounts */
function requireRetention(
  customerId: string,
  { closedAt, holds }: Subject,
  { closedAccountRetentionDays: days }: StoreSettings,
): { closedAt: Date; days: number } {
  if (closedAt !== null && holds === 0 && days !== null) return { closedAt, days };
  const reason = closedAt === null
    ? "its account is not closed"
    : holds > 0
    ? "a legal hold on it is in effect"
    : "the store keeps closed accounts without an end";
  throw new DomainError(
    "REFUSED_IN_STATE",
    `Cannot open a GDPR request of customer ${customerId}: ${reason}`,
  );
}

const HOUR_MS = 60 * 60_000;

const graceOf = ({ erasureGraceHours }: StoreSettings, configuredMs: number): number =>
  erasureGraceHours === null ? configuredMs : erasureGraceHours * HOUR_MS;
