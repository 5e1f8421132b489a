/** Implementations of the request machines' actions. They run in the transaction of the event. */
import { v7 as newId } from "uuid";
import { type ActorEventRow, findJournal } from "../../../db/actor_events.ts";
import { findCustomerVersion } from "../../../db/customers.ts";
import { type EmailHash, findEmailHashes, insertEmailHashes } from "../../../db/email_hashes.ts";
import { type ErasedSubject, findErasure, rememberSubjects } from "../../../db/erased_subjects.ts";
import { destroyExports, destroyExportsOfCustomer } from "../../../db/gdpr_exports.ts";
import {
  findOpenRequests,
  findParticipants,
  findRequest,
  findUnfetched,
  forgetTraces,
  type GdprRequestRow,
  isIdentified,
  type ParticipantRow,
  storeCleared,
  storeClearedTables,
  upsertParticipant,
} from "../../../db/gdpr_requests.ts";
import { findWaitingNotices } from "../../../db/gdpr_notices.ts";
import { anonymizeGuest, findGuestsByHash } from "../../../db/guests.ts";
import { insertOutbox } from "../../../db/outbox.ts";
import { countFreeText, removeFreeText } from "../../../db/free_text.ts";
import {
  type Cleared,
  countPersonalData,
  EMPTIED_COLUMNS,
  ERASED_TABLES,
  findErasableValues,
} from "../../../db/personal_data.ts";
import type { Tx } from "../../../db/connect.ts";
import type { Actions, ActionStep } from "../../runtime/behavior.ts";
import { stateName } from "../../runtime/recorded_event.ts";
import { ignoreRefused } from "../../../domain/errors.ts";
import { domainMessage } from "../../messages.ts";
import type { RequestedBy } from "../receipts/file.ts";
import type { ReceiptFacts } from "../receipts/receipt.ts";
import { evidenceDigest } from "../receipts/confirmation.ts";
import { digestText } from "../receipts/text_digest.ts";
import type { requestActions, RequestContext } from "../machines/events.ts";
import type { RequestSnapshot } from "./snapshot.ts";
import { participantHashesOf } from "./email_hash.ts";
import { contactOf, isContactDestroyed, lockSubject } from "./subject.ts";
import { digestValues } from "./value_digests.ts";
import type { Commands } from "../../commands.ts";
import type { ErasureProof } from "./erasure_proof.ts";
import { RIGHTS } from "../types.ts";
import { addMilliseconds } from "../../../lib/dates.ts";
import type { SealingKey } from "../../../lib/sealing.ts";
import { findSealedRecipient, sealRecipientOf, sealRecipients } from "../notices/recipient.ts";

/** Functions with keys that the actions call. */
export interface RequestTools {
  /** Hashes with every key, the current one first. */
  hashEmail(email: string): Promise<EmailHash[]>;
  proveErasure(subject: ErasedSubject): Promise<ErasureProof>;
  /** Seal the recipients of notices that an erasure leaves open: the current key, followed by earlier ones. */
  sealingKeys: readonly [SealingKey, ...SealingKey[]];
  writeReceipt(tx: Tx, facts: ReceiptFacts, at: Date): Promise<void>;
}

type RequestStep = ActionStep<GdprRequestRow, Commands>;

export function createRequestActions(
  { hashEmail, proveErasure, sealingKeys, writeReceipt }: RequestTools,
): Actions<GdprRequestRow, typeof requestActions, Commands> {
  return {
    async participant({ tx, event: { ref, at } }, params) {
      const { service, state, attempts, lastError, nextAttemptMs } = params;
      const settled = state === "RECEIVED" || state === "CONFIRMED" || state === "WAIVED";
      await upsertParticipant(tx, { storeId: ref.storeId, requestId: ref.id, service }, {
        state,
        ...(nextAttemptMs === undefined
          ? {}
          : { nextAttemptAt: nextAttemptMs === null ? null : addMilliseconds(at, nextAttemptMs) }),
        ...(attempts === undefined ? {} : { attempts }),
        ...(lastError === undefined ? {} : { lastError }),
        ...(settled ? { settledAt: at, nextAttemptAt: null, lastError: null } : {}),
      });
    },

    async eraseSubject(step, { participants }) {
      const { tx, event: { ref, at }, send } = step;
      const { storeId } = ref;
      const customerId = subjectOf(step);
      const subject = await lockSubject(tx, { storeId, customerId });
      const contact = subject && await contactOf(sealingKeys, subject);
      if (!contact) {
        throw new Error(`Cannot erase customer ${customerId}: it does not exist or has been erased`);
      }
      const { email, phone, locale } = contact;
      const { isGuest } = subject;
      const values = isGuest
        ? [email, phone].flatMap((value) => value === null ? [] : [value])
        : (await findErasableValues(tx, storeId, customerId)).map(({ value }) => value);
      const tables = await countPersonalData(tx, storeId, customerId);
      const reasons = digestReasons(await findRequest(tx, storeId, ref.id));
      const ownHashes = await hashEmail(email);
      const guests = await findGuestsByHash(tx, storeId, ownHashes.map(({ hash }) => hash));
      await endUnidentified(step, [customerId, ...guests]); // before the recipients of their notices are sealed
      countTexts(tables, await countFreeText(tx, { storeId, customerId })); // removed below
      const customerVersion = isGuest
        ? await eraseGuest(step)
        : (await send({ kind: "customer", storeId, id: customerId }, { type: "erase", requestId: ref.id }))
          .version;
      for (const { requestId } of await findUnfetched(tx, storeId, customerId)) {
        await send({ kind: "gdpr_request", storeId, id: requestId }, { type: "export.destroyed" });
      }
      await destroyExportsOfCustomer(tx, storeId, customerId);
      await sealRecipients(tx, sealingKeys[0], { storeId, customerId }, { email, locale });
      const valueDigests = digestValues(values, ref.id);
      await storeCleared(tx, storeId, ref.id, {
        erasedAt: at.toISOString(),
        tables,
        traces: valueDigests,
        reasons,
      });
      await insertEmailHashes(tx, { storeId, customerId }, ownHashes);
      const hashes = await findEmailHashes(tx, { storeId, customerId });
      const emailHashes = hashes.map(({ hash }) => hash);
      await rememberSubjects(tx, [{ storeId, customerId, emailHashes, erasedAt: at }]);
      await publishRequested(step, { hashes, customerVersion }, participants);
    },

    async askAgain(step, { service }) {
      await publishRequested(step, await erasedSubjectOf(step), [service]);
    },

    async concludeErasure(step) {
      const { tx, event } = step;
      const { hashes, erasedAt, customerVersion } = await erasedSubjectOf(step);
      const { storeId } = event.ref;
      const emailHashes = hashes.map(({ hash }) => hash);
      const subject = { storeId, customerId: subjectOf(step), emailHashes, erasedAt };
      const facts = await receiptFacts(step, erasedAt);
      const erased = {
        topic: "customer.erased" as const,
        requestId: event.ref.id,
        emailHashes: emailHashes.map((hash) => hash.toHex()),
        erasedAt,
        ...await proveErasure(subject),
        waivedParticipants: facts.participants.filter(({ state }) => state === "WAIVED")
          .map(({ service }) => service),
        customerVersion,
      };
      await insertOutbox(tx, [domainMessage(event, erased)]);
      await forgetTraces(tx, event.ref.storeId, event.ref.id);
      // Texts that were written since the erasure began. The receipt has their hashes.
      countTexts(facts.cleared, await removeFreeText(tx, { storeId, requestId: event.ref.id }));
      await storeClearedTables(tx, event.ref.storeId, event.ref.id, facts.cleared);
      await writeReceipt(tx, facts, event.at);
    },

    async notify(step, { kind, dueAt, cause, waits }) {
      if (cause === "RESTORE") return; // the customer was informed of the first erasure
      const { tx, event: { ref: { storeId, id: requestId } }, send } = step;
      const customerId = subjectOf(step);
      const isDestroyed = await isContactDestroyed(tx, { storeId, customerId });
      const recipient = isDestroyed
        ? await findSealedRecipient(tx, sealingKeys, { storeId, customerId })
        : undefined;
      const noticeId = newId();
      await send({ kind: "gdpr_notice", storeId, id: noticeId }, {
        type: "open",
        requestId,
        customerId,
        kind,
        dueAt: new Date(dueAt),
        waits,
        unreachable: isDestroyed && recipient === undefined,
      });
      if (recipient) await sealRecipientOf(tx, sealingKeys[0], { storeId, noticeId }, recipient);
    },

    async publishNotices({ tx, event: { ref }, send }) {
      for (const id of await findWaitingNotices(tx, ref.storeId, ref.id)) {
        await send({ kind: "gdpr_notice", storeId: ref.storeId, id }, { type: "fall_due" });
      }
    },

    async destroyExports({ tx, event: { ref } }) {
      await destroyExports(tx, { storeId: ref.storeId, requestId: ref.id });
    },

    async releaseErasure(step) {
      const { tx, event: { ref }, send } = step;
      const customerId = subjectOf(step);
      await lockSubject(tx, { storeId: ref.storeId, customerId }); // an erasure that starts now sees this request as ended, or is read below
      const erasures = await findOpenRequests(tx, ref.storeId, customerId, ["ERASURE"]);
      const erasure = erasures.find(isIdentified);
      if (!erasure) return;
      const waiting = WAITING[stateName(erasure.snapshot as RequestSnapshot)];
      if (!waiting || (await waiting.blockers(tx, ref.storeId, customerId)).length > 0) return;
      const target = { kind: "gdpr_request" as const, storeId: ref.storeId, id: erasure.requestId };
      // The erasure may have been held or have ended since it was read; this request ends in any case.
      await ignoreRefused(send(target, { type: waiting.resume }));
    },
  };
}

/** Requests for which an erasure waits in a state, and the command that resumes it after the last of them. */
const WAITING: Readonly<
  Record<string, { blockers: typeof findUnfetched; resume: "access.closed" | "download.settled" }>
> = {
  '{"PENDING":"waiting_for_access"}': {
    blockers: async (tx, storeId, customerId) =>
      (await findOpenRequests(tx, storeId, customerId, ["ACCESS", "PORTABILITY"])).filter(isIdentified),
    resume: "access.closed",
  },
  '{"PENDING":"waiting_for_download"}': { blockers: findUnfetched, resume: "download.settled" },
};

async function publishRequested(
  step: RequestStep,
  { hashes, customerVersion }: Pick<Subject, "hashes" | "customerVersion">,
  participants: string[],
): Promise<void> {
  const { tx, event } = step;
  const message = {
    topic: "customer.erasure_requested" as const,
    requestId: event.ref.id,
    participants,
    emailHashes: participantHashesOf(hashes),
    customerVersion,
  };
  await insertOutbox(tx, [domainMessage(event, message)]);
}

/**
 * Ends the other requests of the person whose identity is not checked: after the erasure it cannot be checked.
 *
 * @param persons the subject, and the IDs under which the person has made requests without an account
 */
async function endUnidentified(step: RequestStep, persons: readonly string[]): Promise<void> {
  const { tx, event: { ref: { storeId, id } }, send } = step;
  const open: GdprRequestRow[] = [];
  for (const person of new Set(persons)) open.push(...await findOpenRequests(tx, storeId, person, RIGHTS));
  for (const request of open) {
    if (request.requestId === id || isIdentified(request)) continue;
    const target = { kind: "gdpr_request" as const, storeId, id: request.requestId };
    await ignoreRefused(send(target, { type: "subject.erased" })); // it has ended since it was read
  }
}

/** Destroys the contact data of a guest, and all text about the requests. Returns the version, which a guest lacks. */
async function eraseGuest(step: RequestStep): Promise<number> {
  const { tx, event: { ref: { storeId }, at } } = step;
  const guest = { storeId, customerId: subjectOf(step) };
  await anonymizeGuest(tx, guest, at);
  await removeFreeText(tx, guest);
  return 0;
}

function subjectOf({ event: { ref, customerId } }: RequestStep): string {
  if (!customerId) throw new Error(`Request ${ref.id} has no customer`);
  return customerId;
}

/** The erasure memory's entry of a subject, and the version of its row. */
interface Subject {
  hashes: EmailHash[];
  erasedAt: Date;
  customerVersion: number;
}

async function erasedSubjectOf(step: RequestStep): Promise<Subject> {
  const { tx, event: { ref } } = step;
  const [storeId, customerId] = [ref.storeId, subjectOf(step)];
  const erasedAt = await findErasure(tx, storeId, customerId);
  if (!erasedAt) throw new Error(`The erasure memory does not contain the customer of request ${ref.id}`);
  const hashes = await findEmailHashes(tx, { storeId, customerId });
  return { hashes, erasedAt, customerVersion: await findCustomerVersion(tx, storeId, customerId) };
}

/** @param opened the first line of the request's journal */
function requesterOf(
  cause: RequestContext["cause"],
  opened: Pick<ActorEventRow, "principalType" | "principalService"> | undefined,
): RequestedBy {
  if (!opened) throw new Error("Cannot name who asked for an erasure: its journal is empty");
  if (cause !== "REQUEST") return { kind: cause };
  if (opened.principalType === "CUSTOMER") return { kind: "SUBJECT" };
  if (opened.principalType === "STAFF") return { kind: "STAFF" };
  const { principalService: service } = opened;
  return { kind: "SERVICE", ...(service !== null && { service }) };
}

async function receiptFacts(step: RequestStep, erasedAt: Date): Promise<ReceiptFacts> {
  const { tx, event: { ref, at } } = step;
  const { storeId, id: requestId } = ref;
  const request = await findRequest(tx, storeId, requestId);
  if (!request) throw new Error(`Cannot find request ${requestId}`);
  const { context } = request.snapshot as RequestSnapshot;
  const participants = await findParticipants(tx, storeId, requestId);
  const reasons = { ...request.cleared?.reasons, ...digestReasons(request) };
  const [opened] = await findJournal(tx, { storeId, actorKind: ref.kind, actorId: requestId }, { limit: 1 });
  return {
    storeId,
    requestId,
    customerId: subjectOf(step),
    cause: context.cause,
    requestedBy: requesterOf(context.cause, opened),
    requestedAt: request.receivedAt,
    erasedAt,
    completedAt: at,
    cleared: request.cleared?.tables ?? {},
    columns: EMPTIED_COLUMNS,
    outcome: context.outcome as ReceiptFacts["outcome"],
    confirmedBy: request.confirmedBy,
    participants: participants.map((participant) => ({
      service: participant.service,
      state: participant.state as "CONFIRMED" | "WAIVED",
      settledAt: participant.settledAt ?? at,
      ...confirmationOf(requestId, participant),
      waiverReason: participant.waiverReason === null ? null : digestText(participant.waiverReason),
      waiverProposedBy: participant.waiverProposedBy,
      waiverConfirmedBy: participant.waiverConfirmedBy,
    })),
    rescan: { tables: [...ERASED_TABLES], residue: context.residue },
    ...(Object.keys(reasons).length > 0 && { reasons }),
  };
}

/** What a receipt states about a participant's confirmation. A signature covers a hash with a fixed salt. */
function confirmationOf(
  requestId: string,
  { evidence, signature, signatureKey }: ParticipantRow,
): Pick<ReceiptFacts["participants"][number], "evidence" | "signature"> {
  if (!signature || !signatureKey) {
    return { evidence: evidence === null ? null : digestText(evidence), signature: null };
  }
  return {
    evidence: evidence === null ? null : evidenceDigest(requestId, evidence),
    signature: {
      publicKey: new Uint8Array(signatureKey).toBase64(),
      signature: new Uint8Array(signature).toBase64(),
    },
  };
}

/** Salted hashes of the reasons that the receipt proves. */
function digestReasons(request: GdprRequestRow | undefined): NonNullable<ReceiptFacts["reasons"]> {
  const { extensionReason, holdReason } = request ?? {};
  return {
    ...(extensionReason && { extension: digestText(extensionReason) }),
    ...(holdReason && { hold: digestText(holdReason) }),
  };
}

/** Adds removed texts to the number of values that an erasure has emptied. */
function countTexts(tables: Cleared, removed: Record<string, number>): void {
  for (const [table, texts] of Object.entries(removed)) {
    tables[table] = { ...tables[table], request: (tables[table]?.request ?? 0) + texts };
  }
}
