/** The GDPR request as an actor: its row, who may tell it what, and what its commands come to. */
import { z } from "zod";
import { lockCustomer } from "../../db/customers.ts";
import {
  findOpenRequests,
  type GdprRequestRow,
  insertRequest,
  lockRequest,
  updateRequest,
  upsertParticipant,
} from "../../db/gdpr_requests.ts";
import type { AnyMachineSnapshot, StateValue } from "xstate";
import { authorizeSubject } from "../authority.ts";
import { type Beginning, type Behaviour, type Change, handler, type Scene } from "../behaviour.ts";
import { columnNames } from "../changes.ts";
import { DomainError } from "../errors.ts";
import { email, locale, phone, text, uuid } from "../input.ts";
import { stateName } from "../occurrence.ts";
import type { PrincipalType } from "../principal.ts";
import type { Answer } from "../protocol.ts";
import { dueDate, extendedDueDate } from "./clock.ts";
import type { RequestContext, RequestInput } from "./request_events.ts";
import { createRequestActions, type RequestTools } from "./request_actions.ts";
import {
  CURRENT_MACHINE,
  machineOf,
  type RequestSnapshot,
  restoreRequest,
  statusOf,
} from "./request_snapshot.ts";
import { OWN_DATA, RIGHTS } from "./vocabulary.ts";

export interface RequestSettings extends RequestTools {
  /** The services that hold data of customers, beside this one. */
  participants: readonly string[];
  /** How long a subject may change their mind about an erasure, in milliseconds. */
  graceMs: number;
  /** From 0 to 1, drawn for each request; Math.random unless a test wants to know. */
  random?: () => number;
}

const ANYBODY = ["CUSTOMER", "STAFF", "SYSTEM"] as const;
const STAFF = ["STAFF", "SYSTEM"] as const;
const SYSTEM = ["SYSTEM"] as const;

const opening = z.strictObject({
  customerId: uuid,
  right: z.enum(RIGHTS, `must be one of ${RIGHTS.join(", ")}`),
  /** What a rectification corrects. */
  corrections: z.strictObject({
    email: email.optional(),
    firstName: text(100).nullish(),
    lastName: text(100).nullish(),
    phone: phone.nullish(),
    locale: locale.nullish(),
  }).refine((fields) => Object.keys(fields).length > 0, { error: "must correct something" }).optional(),
  /** RESTORE: the subject was erased before, and a backup has brought the data back. */
  cause: z.enum(["REQUEST", "RESTORE"]).default("REQUEST"),
}).refine(
  ({ right, corrections }) => (right === "RECTIFICATION") === (corrections !== undefined),
  { error: "corrections must be given with a RECTIFICATION and with nothing else" },
);
type Opening = z.output<typeof opening>;

const nothing = z.strictObject({});
const reason = text(500);
const service = text(100);
const repetition = z.strictObject({ service: service.optional() });
const confirmation = z.strictObject({ service, evidence: text(2_000).nullish() });
const finding = z.strictObject({ residue: z.int().min(0) });

export function createRequestBehaviour(settings: RequestSettings): Behaviour<GdprRequestRow> {
  return {
    kind: "gdpr_request",
    role: "PRIVACY_OFFICER",
    birth: {
      type: "open",
      by: ANYBODY,
      input: opening,
      begin: (scene, input: Opening) => begin(settings, scene, input),
    },
    handlers: {
      cancel: plain(ANYBODY, "cancel"),
      release: plain(STAFF, "release"),
      compiled: plain(SYSTEM, "compiled"),
      "access.closed": plain(SYSTEM, "access.closed"),
      hold: withReason("hold", "holdReason"),
      refuse: withReason("refuse", "refusalReason"),
      extend: handler<GdprRequestRow, z.ZodObject<{ reason: typeof reason }>>(
        STAFF,
        z.strictObject({ reason }),
        ({ row }, { reason }) => ({
          event: { type: "extend", dueAt: extendedDueDate(row.createdAt).getTime() },
          changedFields: ["due_at", "extension_reason"],
          columns: { extensionReason: reason },
        }),
      ),
      retry: handler<GdprRequestRow, typeof repetition>(STAFF, repetition, (_, { service }) => ({
        event: { type: "retry", ...(service !== undefined && { service }) },
        changedFields: [service === undefined ? "status" : "participants"],
      })),
      waive: handler<GdprRequestRow, z.ZodObject<{ service: typeof service; reason: typeof reason }>>(
        STAFF,
        z.strictObject({ service, reason }),
        ({ ref }, { service, reason }) => ({
          event: { type: "waive", service },
          changedFields: ["participants"],
          write: (tx) =>
            upsertParticipant(tx, ref.storeId, ref.id, service, { state: "WAIVED", waiverReason: reason }),
        }),
      ),
      "source.received": aboutService(SYSTEM, "source.received"),
      "source.failed": handler<
        GdprRequestRow,
        z.ZodObject<{ service: typeof service; error: typeof service }>
      >(
        SYSTEM,
        z.strictObject({ service, error: text(100) }),
        (_, { service, error }) => ({
          event: { type: "source.failed", service, error },
          changedFields: ["participants"],
        }),
      ),
      "participant.confirm": handler<GdprRequestRow, typeof confirmation>(
        SYSTEM,
        confirmation,
        ({ ref }, input) => ({
          event: { type: "participant.confirm", service: input.service },
          changedFields: ["participants"],
          write: (tx) =>
            upsertParticipant(tx, ref.storeId, ref.id, input.service, {
              state: "CONFIRMED",
              evidence: input.evidence ?? null,
            }),
        }),
      ),
      verified: handler<GdprRequestRow, typeof finding>(SYSTEM, finding, (_, { residue }) => ({
        event: { type: "verified", residue },
        changedFields: ["status"],
      })),
    },
    actions: createRequestActions(settings),
    async complete({ tx, ref, row, now }, event) {
      const timed = { ...event, at: now.getTime() };
      if (row?.type !== "ERASURE" || !event.type.startsWith("xstate.after.UNTIL_START")) return timed;
      // Under the customer's lock no request is opened, so the answer holds until the erasure is done.
      await lockCustomer(tx, ref.storeId, row.customerId);
      const open = await findOpenRequests(tx, ref.storeId, row.customerId, ["ACCESS", "PORTABILITY"]);
      return { ...timed, accessOpen: open.length > 0 };
    },
    customerOf: (_, row) => row.customerId,
    async lock(tx, ref) {
      const row = await lockRequest(tx, ref.storeId, ref.id);
      if (!row) return undefined;
      const snapshot = restoreStored(row);
      return { row, version: row.version, machine: snapshot.machine, snapshot };
    },
    insert: (tx, ref, change) =>
      insertRequest(tx, { storeId: ref.storeId, requestId: ref.id, ...stored(change), createdAt: change.at }),
    update: (tx, ref, change) => updateRequest(tx, ref.storeId, ref.id, stored(change)),
    conflicts: {
      customers_email: "the corrected email belongs to another customer",
      gdpr_requests_pkey: "it exists already",
      gdpr_requests_one_open: "another one of its type is open",
    },
  };
}

async function begin(
  { participants, graceMs, random = Math.random }: RequestSettings,
  { tx, ref, by, now }: Scene,
  { customerId, right: type, corrections, cause }: Opening,
): Promise<Beginning | Answer> {
  authorizeSubject(ref, "open", customerId, by);
  if (cause === "RESTORE" && by.type !== "SYSTEM") {
    throw new DomainError("FORBIDDEN", `Cannot open ${ref.id}: only the service itself knows of a restore`);
  }
  const customer = await lockCustomer(tx, ref.storeId, customerId);
  if (!customer) throw new DomainError("NOT_FOUND", `Cannot find customer ${customerId}`);
  const [open] = await findOpenRequests(tx, ref.storeId, customerId, [type]);
  if (open) {
    const state = stateName(restoreStored(open));
    return { id: open.requestId, state, version: open.version, ids: {} };
  }
  if (customer.anonymizedAt) {
    throw new DomainError("REFUSED_IN_STATE", `Cannot open a request of customer ${customerId}: anonymized`);
  }

  const machine = CURRENT_MACHINE[type];
  const asked = type === "ERASURE" ? [...participants] : [OWN_DATA, ...participants];
  const due = dueDate(now);
  const waits = type === "ERASURE" && cause === "REQUEST" ? graceMs : 0;
  const input: RequestInput = {
    receivedAt: now.getTime(),
    dueAt: due.getTime(),
    startsAt: now.getTime() + waits,
    participants: type === "RECTIFICATION" ? [] : asked,
    cause,
    spread: random(),
  };
  return {
    machine: machineOf(machine, input.participants),
    input,
    columns: { customerId, type, requestedBy: by.id, machine },
    customerId,
    ...(corrections && {
      follow: ({ tell }) =>
        tell({ kind: "customer", storeId: ref.storeId, id: customerId }, {
          type: "profile.update",
          ...corrections,
        }),
    }),
  };
}

function restoreStored({ requestId, machine, snapshot }: GdprRequestRow): AnyMachineSnapshot {
  const stored = snapshot as RequestSnapshot;
  return restoreRequest(requestId, machineOf(machine, stored.context.participants), stored);
}

/** The row's own words for the machine's state. */
function stored({ columns, snapshot, version, at }: Change) {
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

const plain = (by: readonly PrincipalType[], type: string) =>
  handler<GdprRequestRow, typeof nothing>(
    by,
    nothing,
    () => ({ event: { type }, changedFields: ["status"] }),
  );

const withReason = (type: "hold" | "refuse", column: "holdReason" | "refusalReason") =>
  handler<GdprRequestRow, z.ZodObject<{ reason: typeof reason }>>(
    STAFF,
    z.strictObject({ reason }),
    (_, input) => ({
      event: { type },
      changedFields: ["status", ...columnNames({ [column]: "" })],
      columns: { [column]: input.reason },
    }),
  );

const aboutService = (by: readonly PrincipalType[], type: string) =>
  handler<GdprRequestRow, z.ZodObject<{ service: typeof service }>>(
    by,
    z.strictObject({ service }),
    (_, { service }) => ({
      event: { type, service },
      changedFields: ["participants"],
    }),
  );
