/** Implementations of the request machines' actions. They run in the transaction of the event. */
import { type ActorEventRow, findJournal } from "../../../db/actor_events.ts";
import { findCustomerVersion, lockCustomer } from "../../../db/customers.ts";
import { type ErasedSubject, findErasedSubject, rememberSubjects } from "../../../db/erased_subjects.ts";
import { destroyExports, destroyExportsOfCustomer } from "../../../db/gdpr_exports.ts";
import {
  findOpenRequests,
  findParticipants,
  findRequest,
  findUnfetched,
  forgetTraces,
  type GdprRequestRow,
  storeCleared,
  upsertParticipant,
} from "../../../db/gdpr_requests.ts";
import { insertOutbox } from "../../../db/outbox.ts";
import { countPersonalData, ERASED_TABLES, erasedValues } from "../../../db/personal_data.ts";
import { emptyNotes, findTraces } from "../../../db/traces.ts";
import type { Tx } from "../../../db/connect.ts";
import type { Actions, ActionStep } from "../../runtime/behavior.ts";
import { ignoreRefused } from "../../../domain/errors.ts";
import { domainMessage } from "../../messages.ts";
import type { RequestedBy } from "../receipts/file.ts";
import type { ReceiptFacts } from "../receipts/receipt.ts";
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
      const values = await erasedValues(tx, storeId, customerId);
      const tables = await countPersonalData(tx, storeId, customerId);
      const erased = await send({ kind: "customer", storeId, id: customerId }, {
        type: "erase",
        requestId: ref.id,
      });
      for (const { requestId } of await findUnfetched(tx, storeId, customerId)) {
        await send({ kind: "gdpr_request", storeId, id: requestId }, { type: "export.destroyed" });
      }
      await destroyExportsOfCustomer(tx, storeId, customerId);
      for (const [table, notes] of Object.entries(await emptyNotes(tx, storeId, customerId, values))) {
        tables[table] = { request: notes };
      }
      const traces = await findTraces(tx, storeId, customerId, values);
      await storeCleared(tx, storeId, ref.id, { erasedAt: at.toISOString(), tables, traces });
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
      const facts = await receiptFacts(step, erasedAt);
      const erased = {
        topic: "customer.erased" as const,
        requestId: event.ref.id,
        emailHash: emailHash.toHex(),
        erasedAt,
        waivedParticipants: facts.participants.filter(({ state }) => state === "WAIVED")
          .map(({ service }) => service),
        customerVersion,
      };
      await insertOutbox(tx, [domainMessage(event, erased)]);
      await forgetTraces(tx, event.ref.storeId, event.ref.id);
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
      if (!erasure) return;
      const waiting = WAITING[JSON.stringify((erasure.snapshot as RequestSnapshot).value)];
      if (!waiting || (await waiting.blockers(tx, ref.storeId, customerId)).length > 0) return;
      const target = { kind: "gdpr_request" as const, storeId: ref.storeId, id: erasure.requestId };
      // The erasure may have been held or have ended since it was read; this request ends in any case.
      await ignoreRefused(send(target, { type: waiting.resume }));
    },
  };
}

/** Requests for which an erasure waits in a state, and the command that resumes it when there is none. */
const WAITING: Readonly<
  Record<string, { blockers: typeof findUnfetched; resume: "access.closed" | "download.settled" }>
> = {
  '{"PENDING":"waiting_for_access"}': {
    blockers: (tx, storeId, customerId) =>
      findOpenRequests(tx, storeId, customerId, ["ACCESS", "PORTABILITY"]),
    resume: "access.closed",
  },
  '{"PENDING":"waiting_for_download"}': { blockers: findUnfetched, resume: "download.settled" },
};

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
  const [opened] = await findJournal(tx, { storeId, actorKind: ref.kind, actorId: requestId }, { limit: 1 });
  const { extensionReason, holdReason } = request;
  return {
    storeId,
    requestId,
    customerId: subjectOf(step),
    cause: context.cause,
    requestedBy: requesterOf(context.cause, opened),
    requestedAt: request.createdAt,
    erasedAt,
    completedAt: at,
    cleared: (request.cleared?.tables ?? {}) as Record<string, Record<string, number>>,
    outcome: context.outcome as ReceiptFacts["outcome"],
    confirmedBy: request.confirmedBy,
    participants: participants.map((participant) => ({
      service: participant.service,
      state: participant.state as "CONFIRMED" | "WAIVED",
      settledAt: participant.settledAt ?? at,
      evidence: participant.evidence,
      waiverReason: participant.waiverReason,
      waiverProposedBy: participant.waiverProposedBy,
      waiverConfirmedBy: participant.waiverConfirmedBy,
    })),
    rescan: { tables: [...ERASED_TABLES], residue: context.residue },
    ...(extensionReason || holdReason
      ? {
        reasons: {
          ...(extensionReason && { extension: extensionReason }),
          ...(holdReason && { hold: holdReason }),
        },
      }
      : {}),
  };
}
