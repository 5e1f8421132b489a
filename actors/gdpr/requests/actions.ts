/** Implementations of the request machines' actions. They run in the transaction of the event. */
import { type ActorEventRow, findJournal } from "../../../db/actor_events.ts";
import { findCustomerVersion, lockCustomer } from "../../../db/customers.ts";
import { type ErasedSubject, findErasedSubject, rememberSubjects } from "../../../db/erased_subjects.ts";
import { destroyExports, destroyExportsOfCustomer } from "../../../db/gdpr_exports.ts";
import {
  findOpenRequests,
  findParticipants,
  findRequest,
  forgetTraces,
  type GdprRequestRow,
  storeCleared,
  storeClearedTables,
  upsertParticipant,
} from "../../../db/gdpr_requests.ts";
import { insertOutbox } from "../../../db/outbox.ts";
import { removeFreeText } from "../../../db/free_text.ts";
import {
  type Cleared,
  countPersonalData,
  ERASED_TABLES,
  findErasableValues,
} from "../../../db/personal_data.ts";
import { findTraces } from "../../../db/traces.ts";
import type { Tx } from "../../../db/connect.ts";
import type { Actions, ActionStep } from "../../runtime/behavior.ts";
import { ignoreRefused } from "../../../domain/errors.ts";
import { domainMessage } from "../../messages.ts";
import type { RequestedBy } from "../receipts/file.ts";
import type { ReceiptFacts } from "../receipts/receipt.ts";
import { digestText } from "../receipts/text_digest.ts";
import type { requestActions, RequestContext } from "../machines/events.ts";
import type { RequestSnapshot } from "./snapshot.ts";
import type { Commands } from "../../commands.ts";
import { later } from "../../../lib/dates.ts";

/** Functions with keys that the actions call. */
export interface RequestTools {
  hashEmail(email: string): Promise<Uint8Array>;
  writeReceipt(tx: Tx, facts: ReceiptFacts, at: Date): Promise<void>;
}

type RequestStep = ActionStep<GdprRequestRow, Commands>;

export function createRequestActions(
  { hashEmail, writeReceipt }: RequestTools,
): Actions<GdprRequestRow, typeof requestActions, Commands> {
  return {
    async participant({ tx, event: { ref, at } }, params) {
      const { service, state, attempts, lastError, nextAttemptMs } = params;
      const settled = state === "RECEIVED" || state === "CONFIRMED" || state === "WAIVED";
      await upsertParticipant(tx, { storeId: ref.storeId, requestId: ref.id, service }, {
        state,
        ...(nextAttemptMs === undefined
          ? {}
          : { nextAttemptAt: nextAttemptMs === null ? null : later(at, nextAttemptMs) }),
        ...(attempts === undefined ? {} : { attempts }),
        ...(lastError === undefined ? {} : { lastError }),
        ...(settled ? { settledAt: at, nextAttemptAt: null, lastError: null } : {}),
      });
    },

    async eraseSubject(step, { participants }) {
      const { tx, event: { ref, at }, send } = step;
      const { storeId } = ref;
      const customerId = subjectOf(step);
      const customer = await lockCustomer(tx, storeId, customerId);
      if (!customer?.email) {
        throw new Error(`Cannot erase customer ${customerId}: it does not exist or has been erased`);
      }
      const values = await findErasableValues(tx, storeId, customerId);
      const tables = await countPersonalData(tx, storeId, customerId);
      const reasons = digestReasons(await findRequest(tx, storeId, ref.id));
      countTexts(tables, await removeFreeText(tx, storeId, customerId));
      const erased = await send({ kind: "customer", storeId, id: customerId }, {
        type: "erase",
        requestId: ref.id,
      });
      await destroyExportsOfCustomer(tx, storeId, customerId);
      const traces = await findTraces(tx, storeId, customerId, values.map(({ value }) => value));
      await storeCleared(tx, storeId, ref.id, { erasedAt: at.toISOString(), tables, traces, reasons });
      const subject = { storeId, customerId, emailHash: await hashEmail(customer.email), erasedAt: at };
      await rememberSubjects(tx, [subject]);
      await publishRequested(step, { ...subject, customerVersion: erased.version }, participants);
    },

    async askAgain(step, { service }) {
      await publishRequested(step, await erasedSubjectOf(step), [service]);
    },

    async concludeErasure(step) {
      const { tx, event } = step;
      const { emailHash, erasedAt, customerVersion } = await erasedSubjectOf(step);
      const erased = {
        topic: "customer.erased" as const,
        requestId: event.ref.id,
        emailHash: emailHash.toHex(),
        erasedAt,
        customerVersion,
      };
      await insertOutbox(tx, [domainMessage(event, erased)]);
      await forgetTraces(tx, event.ref.storeId, event.ref.id);
      const facts = await receiptFacts(step, erasedAt);
      // Texts that were written since the erasure began. The receipt has their hashes.
      countTexts(facts.cleared, await removeFreeText(tx, event.ref.storeId, facts.customerId));
      await storeClearedTables(tx, event.ref.storeId, event.ref.id, facts.cleared);
      await writeReceipt(tx, facts, event.at);
    },

    async destroyExports({ tx, event: { ref } }) {
      await destroyExports(tx, { storeId: ref.storeId, requestId: ref.id });
    },

    async releaseErasure(step) {
      const { tx, event: { ref }, send } = step;
      const customerId = subjectOf(step);
      await lockCustomer(tx, ref.storeId, customerId); // an erasure that starts now sees this request as ended, or is read below
      const [erasure] = await findOpenRequests(tx, ref.storeId, customerId, ["ERASURE"]);
      const value = (erasure?.snapshot as RequestSnapshot | undefined)?.value;
      if (!erasure || JSON.stringify(value) !== '{"PENDING":"waiting_for_access"}') return;
      const others = await findOpenRequests(tx, ref.storeId, customerId, ["ACCESS", "PORTABILITY"]);
      if (others.length > 0) return;
      const target = { kind: "gdpr_request" as const, storeId: ref.storeId, id: erasure.requestId };
      // The erasure may have been held or have ended since it was read; this request ends in any case.
      await ignoreRefused(send(target, { type: "access.closed" }));
    },
  };
}

async function publishRequested(
  step: RequestStep,
  subject: Subject,
  participants: string[],
): Promise<void> {
  const { tx, event } = step;
  const message = {
    topic: "customer.erasure_requested" as const,
    requestId: event.ref.id,
    participants,
    emailHash: new Uint8Array(subject.emailHash).toHex(),
    customerVersion: subject.customerVersion,
  };
  await insertOutbox(tx, [domainMessage(event, message)]);
}

function subjectOf({ event: { ref, customerId } }: RequestStep): string {
  if (!customerId) throw new Error(`Request ${ref.id} has no customer`);
  return customerId;
}

/** The erasure memory's entry of a subject, and the version of its row. */
interface Subject extends ErasedSubject {
  customerVersion: number;
}

async function erasedSubjectOf(step: RequestStep): Promise<Subject> {
  const { tx, event: { ref } } = step;
  const subject = await findErasedSubject(tx, ref.storeId, subjectOf(step));
  const customerVersion = await findCustomerVersion(tx, ref.storeId, subjectOf(step));
  if (!subject) throw new Error(`The erasure memory does not contain the customer of request ${ref.id}`);
  return { ...subject, emailHash: new Uint8Array(subject.emailHash), customerVersion };
}

/** @param opened the first line of the request's journal */
function requesterOf(
  cause: RequestContext["cause"],
  opened: Pick<ActorEventRow, "principalType" | "principalService"> | undefined,
): RequestedBy {
  if (!opened) throw new Error("Cannot name who asked for an erasure: its journal is empty");
  if (cause === "RESTORE") return { kind: "RESTORE" };
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
    requestedAt: request.createdAt,
    erasedAt,
    completedAt: at,
    cleared: request.cleared?.tables ?? {},
    participants: participants.map(({ service, state, settledAt, evidence, waiverReason }) => ({
      service,
      state: state as "CONFIRMED" | "WAIVED",
      settledAt: settledAt ?? at,
      evidence: evidence === null ? null : digestText(evidence),
      waiverReason: waiverReason === null ? null : digestText(waiverReason),
    })),
    rescan: { tables: [...ERASED_TABLES], residue: context.residue },
    ...(Object.keys(reasons).length > 0 && { reasons }),
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
