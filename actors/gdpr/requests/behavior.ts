/** Actor behavior of a GDPR request: its row, commands, actions and machine. */
import type { EventObject, StateValue } from "xstate";
import {
  findOpenRequests,
  findUnfetched,
  type GdprRequestRow,
  insertRequest,
  isIdentified,
  lockRequest,
  updateRequest,
} from "../../../db/gdpr_requests.ts";
import type { Behavior, Change } from "../../runtime/behavior.ts";
import { createRequestActions, type RequestTools } from "./actions.ts";
import { createRequestCommands, REQUEST_OPERATIONS } from "./commands.ts";
import type { PeerKeys } from "./confirmation.ts";
import { findDocuments } from "../../../db/gdpr_exports.ts";
import { fetchWaitEnd, type RequestContext } from "../machines/events.ts";
import { endPause, extendedDueDate, type PauseEnd, refuseErasedSubject } from "./deadline_facts.ts";
import { type OpeningSettings, openRequest } from "./opening.ts";
import { publicEvent } from "./public_events.ts";
import { lockSubject } from "./subject.ts";
import { type RequestSnapshot, restoreRequest, statusOf } from "./snapshot.ts";

export interface RequestSettings extends RequestTools, OpeningSettings {
  /** HMAC with SHA-256: hashes the idempotency keys of all commands. */
  hashKey: CryptoKey;
  /** Time that an erasure waits for the customer to download documents, from their completion, in milliseconds. */
  fetchWaitMs: number;
  /** Keys with which participants sign their confirmations; a participant with a key has to sign. */
  peerKeys?: PeerKeys;
}

export function createRequestBehavior(settings: RequestSettings): Behavior<GdprRequestRow> {
  return {
    kind: "gdpr_request",
    noun: "GDPR request",
    purposes: REQUEST_OPERATIONS,
    describeState: ({ value }) => isIn(value, "held") ? "it is on hold" : STATUS_WORDS[statusOf(value)],
    role: "PRIVACY_OFFICER",
    creation: openRequest(settings),
    handlers: createRequestCommands({ ...settings, peerKeys: settings.peerKeys ?? {} }),
    actions: createRequestActions(settings),
    complete: async (context, event) => ({
      ...event,
      at: context.now.getTime(),
      ...await factsOf(settings, context, event),
    }),
    publicEvent,
    customerOf: (_, row) => row?.customerId,
    lock: (tx, ref) => lockRequest(tx, ref.storeId, ref.id),
    restore(row) {
      const snapshot = restoreRequest(row);
      return { row, version: row.version, machine: snapshot.machine, snapshot };
    },
    rows: {
      insert: (tx, ref, change) =>
        insertRequest(tx, {
          storeId: ref.storeId,
          requestId: ref.id,
          ...columnsOf(change),
          createdAt: change.at,
        }),
      update: (tx, ref, change) => updateRequest(tx, ref.storeId, ref.id, columnsOf(change)),
    },
    guards: {
      isHeldByRequest: "legal holds on the customer keep it: they have to be lifted",
      mayBeExtended: "an extension is possible once, before the first due date",
      isSecondPerson: "the person who has proposed it cannot confirm or reject it",
      isProposer: "only the person who has proposed it can withdraw it",
    },
    conflicts: {
      customers_email: "the corrected email belongs to another customer",
      gdpr_requests_pkey: "it exists already",
      gdpr_requests_one_open: "another request of its type is open",
    },
  };
}

type EventContext = Parameters<NonNullable<Behavior<GdprRequestRow>["complete"]>>[0];

/** Facts of an event that the machine cannot know. */
async function factsOf(
  { fourEyes, fetchWaitMs }: RequestSettings,
  { tx, ref: { storeId, id: requestId }, row, now }: EventContext,
  event: EventObject,
) {
  const { type } = event;
  const { type: right, customerId } = row;
  const locked = { tx, storeId, requestId, row };
  if (type === "extend") return { dueAt: (await extendedDueDate(locked)).getTime() };
  if (type === "information.receive") return await endPause({ ...locked, now }, event as PauseEnd);
  if (type === "identity.verify") await refuseErasedSubject(locked);
  if (type === "waive") return { secondPerson: fourEyes && right === "ERASURE" };
  if (type === "compiled") {
    const [document] = await findDocuments(tx, { storeId, requestId });
    return { expiresAt: (document?.expiresAt ?? now).getTime() };
  }
  if (right !== "ERASURE") return {};
  const isStart = type.startsWith("xstate.after.UNTIL_START");
  if (!isStart && type !== "customer.changed" && type !== "release") return {};
  // The subject's lock keeps requests from being opened and holds from being placed until the transaction ends.
  const subject = await lockSubject(tx, { storeId, customerId });
  const customerHeld = subject !== undefined && subject.holds > 0;
  const facts = { customerHeld, reopened: subject?.status !== "CLOSED" };
  if (!isStart) return facts;
  const open = await findOpenRequests(tx, storeId, customerId, ["ACCESS", "PORTABILITY"]);
  const unfetched = await findUnfetched(tx, storeId, customerId);
  const ends = unfetched.map(({ completedAt, snapshot }) =>
    Math.min(
      (completedAt ?? now).getTime() + fetchWaitMs,
      (snapshot as RequestSnapshot).context.expiresAt ?? 0,
    )
  );
  return {
    ...facts,
    accessOpen: open.some(isIdentified),
    fetchUntil: ends.length > 0 ? Math.max(...ends) : null,
  };
}

/** Status of a request in messages. Other states inside a status are no contract. */
const STATUS_WORDS = {
  PENDING: "it has not started",
  IN_PROGRESS: "it is in progress",
  COMPLETED: "it is completed",
};

/** The row's columns for a change of the machine's state. */
function columnsOf({ columns, snapshot, version }: Change) {
  const { value, context } = snapshot as { value: StateValue; context: RequestContext };
  const status = statusOf(value);
  const fetchWaitEndsAt = isIn(value, "waiting_for_download")
    ? new Date(fetchWaitEnd(context, context.fetchUntil ?? 0))
    : null;
  return {
    ...columns,
    status,
    outcome: context.outcome,
    completedAt: dateOf(context.completedAt),
    dueAt: new Date(context.dueAt),
    fetchedAt: dateOf(context.fetchedAt),
    fetchWaitEndsAt,
    // In every other state before the start, the end depends on a decision or on another request.
    cancellableUntil: isIn(value, "grace") ? new Date(context.startsAt) : fetchWaitEndsAt,
    identityFailures: context.identityFailures ?? 0,
    informationRequestedAt: isIn(value, "waiting_for_information") ? dateOf(context.pausedAt ?? null) : null,
    snapshot: { value, context } satisfies RequestSnapshot,
    version,
  };
}

const dateOf = (instant: number | null) => instant === null ? null : new Date(instant);

const isIn = (value: StateValue, pending: string) => typeof value === "object" && value.PENDING === pending;
