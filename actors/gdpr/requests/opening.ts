/** Creation of a request: checks the customer, and chooses the machine and its input. */
import type { z } from "zod";
import { type CustomerRow, lockCustomer } from "../../../db/customers.ts";
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
import { requireRecentSignIn } from "./recent_sign_in.ts";
import type { RequestInput } from "../machines/events.ts";
import { CURRENT_MACHINE, machineOf, restoreRequest } from "./snapshot.ts";
import { OWN_DATA } from "../types.ts";
import { opening } from "./opening_input.ts";
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
  authorizeSubject(`open a GDPR request of customer ${customerId}`, customerId, by);
  if (corrections?.email !== undefined) {
    authorizeEmailChange(`correct the email of customer ${customerId}`, by);
  }
  if (cause !== "REQUEST" && by.type !== "SYSTEM") {
    throw new DomainError(
      "FORBIDDEN",
      `Cannot open a GDPR request of customer ${customerId}: only the service itself may give the cause ${cause}`,
    );
  }
}

async function begin(
  { participants, graceMs, fourEyes, maxSignInAgeMs, random = Math.random }: OpeningSettings,
  scene: CreationScene,
  opened: Opening,
): Promise<Beginning | Redirection | Answer> {
  const { ref, by, readTime } = scene;
  const tx = transactionOf(scene);
  const { customerId, right: type, corrections, cause, note } = opened;
  authorizeOpening(opened, by);
  const [customer, now, settings] = await Promise.all([
    lockCustomer(tx, ref.storeId, customerId),
    readTime(),
    settingsOf(tx, ref.storeId),
  ]);
  if (type === "ERASURE") {
    requireRecentSignIn(`open a GDPR request of customer ${customerId}`, { by, now, maxSignInAgeMs });
  }
  if (!customer) throw new DomainError("NOT_FOUND", `Cannot find customer ${customerId}`);
  const calendar = calendarOf(settings);
  const entrance = entranceOf(opened, { by, now, calendar });
  const requests = await findOpenRequests(tx, ref.storeId, customerId, [type]);
  const open = requests.find((request) => isIdentified(request) === entrance.isIdentified);
  if (open) {
    const snapshot = restoreRequest(await lockRequest(tx, ref.storeId, open.requestId) ?? open);
    const confirmation = { type: "subject.request", at: now.getTime() };
    if (by.type === "CUSTOMER" && snapshot.can(confirmation)) {
      return { ref: { ...ref, id: open.requestId }, command: { type: confirmation.type, input: {} } };
    }
    const state = stateName(snapshot);
    return { id: open.requestId, state, version: open.version, ids: {}, changed: false };
  }
  if (customer.anonymizedAt) {
    throw new DomainError(
      "REFUSED_IN_STATE",
      `Cannot open a GDPR request of customer ${customerId}: the customer has been erased`,
    );
  }

  const retention = cause === "RETENTION" ? requireRetention(customerId, customer, settings) : undefined;
  if (retention) await storeAnnouncement(tx, { storeId: ref.storeId, customerId }, now);
  const machine = CURRENT_MACHINE[type];
  const others = participantsOf(participants, settings);
  const services = type === "ERASURE" ? others : [OWN_DATA, ...others];
  const due = dueDate(entrance.receivedAt, calendar, { months: 1 });
  const delayMs = type === "ERASURE" && cause === "REQUEST" ? graceOf(settings, graceMs) : 0;
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
    customerHeld: type === "ERASURE" && customer.holds > 0,
    ...(needsSecondPerson && { proposedBy: by.id }),
    ...(!entrance.isIdentified && { unidentified: true }),
  };
  return {
    machine: machineOf(machine, input.participants),
    input,
    columns: { customerId, type, requestedBy: by.id, machine, ...entrance.columns },
    customerId,
    note: note ?? undefined,
    texts: entrance.texts,
    ...(corrections && {
      follow: ({ send }: ActionStep<unknown, Commands>) =>
        send({ kind: "customer", storeId: ref.storeId, id: customerId }, {
          type: "profile.update",
          ...corrections,
        }),
    }),
  };
}

/** @throws {DomainError} REFUSED_IN_STATE: the account is open or held, or the store keeps closed accounts */
function requireRetention(
  customerId: string,
  { closedAt, holds }: CustomerRow,
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
