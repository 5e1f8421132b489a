/** Actor behavior of a GDPR request: its row, commands, actions and machine. */
import type { StateValue } from "xstate";
import { lockCustomer } from "../../../db/customers.ts";
import {
  findOpenRequests,
  type GdprRequestRow,
  insertRequest,
  lockRequest,
  updateRequest,
} from "../../../db/gdpr_requests.ts";
import type { Behavior, Change } from "../../runtime/behavior.ts";
import { createRequestActions, type RequestTools } from "./actions.ts";
import { REQUEST_PURPOSES, requestCommands } from "./commands.ts";
import type { RequestContext } from "../machines/events.ts";
import { type OpeningSettings, openRequest } from "./opening.ts";
import { publicEvent } from "./public_events.ts";
import { type RequestSnapshot, restoreRequest, statusOf } from "./snapshot.ts";

export interface RequestSettings extends RequestTools, OpeningSettings {
  /** HMAC with SHA-256: hashes the idempotency keys of all commands. */
  hashKey: CryptoKey;
}

export function createRequestBehavior(settings: RequestSettings): Behavior<GdprRequestRow> {
  return {
    kind: "gdpr_request",
    noun: "GDPR request",
    purposes: REQUEST_PURPOSES,
    describeState: ({ value }) => STATUS_WORDS[statusOf(value)],
    role: "PRIVACY_OFFICER",
    creation: openRequest(settings),
    handlers: requestCommands,
    actions: createRequestActions(settings),
    async complete({ tx, ref, row, now }, event) {
      const timed = { ...event, at: now.getTime() };
      if (row?.type !== "ERASURE" || !event.type.startsWith("xstate.after.UNTIL_START")) return timed;
      // The customer's lock keeps new requests from being opened until the transaction of the erasure ends.
      await lockCustomer(tx, ref.storeId, row.customerId);
      const open = await findOpenRequests(tx, ref.storeId, row.customerId, ["ACCESS", "PORTABILITY"]);
      return { ...timed, accessOpen: open.length > 0 };
    },
    publicEvent,
    customerOf: (_, row) => row?.customerId,
    async lock(tx, ref) {
      const row = await lockRequest(tx, ref.storeId, ref.id);
      if (!row) return undefined;
      const snapshot = restoreRequest(row);
      return { row, version: row.version, machine: snapshot.machine, snapshot };
    },
    insert: (tx, ref, change) =>
      insertRequest(tx, {
        storeId: ref.storeId,
        requestId: ref.id,
        ...columnsOf(change),
        createdAt: change.at,
      }),
    update: (tx, ref, change) => updateRequest(tx, ref.storeId, ref.id, columnsOf(change)),
    guards: { mayBeExtended: "an extension is possible once, before the first due date" },
    conflicts: {
      customers_email: "the corrected email belongs to another customer",
      gdpr_requests_pkey: "it exists already",
      gdpr_requests_one_open: "another request of its type is open",
    },
  };
}

/** Status of a request in messages. The states inside a status are no contract. */
const STATUS_WORDS = {
  PENDING: "it has not started",
  IN_PROGRESS: "it is in progress",
  COMPLETED: "it is completed",
};

/** The row's columns for a change of the machine's state. */
function columnsOf({ columns, snapshot, version, at }: Change) {
  const { value, context } = snapshot as { value: StateValue; context: RequestContext };
  const status = statusOf(value);
  return {
    ...columns,
    status,
    outcome: context.outcome,
    completedAt: status === "COMPLETED" ? at : null,
    dueAt: new Date(context.dueAt),
    snapshot: { value, context } satisfies RequestSnapshot,
    version,
  };
}
