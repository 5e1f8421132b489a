/** Tolerant reader of a request's snapshot, which another version of the service may have written. */
import type { AnyStateMachine, StateValue } from "xstate";
import { z } from "zod";
import {
  type AvailableDecision,
  availableDecisions,
} from "../../actors/gdpr/requests/available_decisions.ts";
import { machineOf } from "../../actors/gdpr/requests/snapshot.ts";
import type { Principal } from "../../domain/principal.ts";
import type { GdprRequestRow } from "../../db/gdpr_requests.ts";
import { parseState } from "../chart/value.ts";

const Snapshot = z.object({
  value: z.unknown(),
  context: z.object({
    participants: z.array(z.string()).catch([]),
    asked: z.record(z.string(), z.number()).catch({}),
    proposals: z.record(z.string(), z.string()).catch({}),
    expiresAt: z.number().optional().catch(undefined),
    startsAt: z.number().optional().catch(undefined),
    residue: z.number().optional().catch(undefined),
    extended: z.boolean().catch(false),
    dueDates: z.array(z.object({ since: z.number(), dueAt: z.number() })).catch([]),
    cause: z.string().catch("REQUEST"),
    heldBy: z.string().nullable().catch(null),
  }),
});

export type SnapshotContext = z.output<typeof Snapshot>["context"];

const NO_CONTEXT = {
  participants: [],
  asked: {},
  proposals: {},
  extended: false,
  dueDates: [],
  cause: "REQUEST",
  heldBy: null,
};

export interface StoredSnapshot {
  state: StateValue;
  context: SnapshotContext;
  /** Undefined if this version does not know the machine. */
  machine: AnyStateMachine | undefined;
  /** Decisions that the viewer may take now. */
  offers: AvailableDecision[];
  /** Reason why no decision is possible; undefined if the machine and its state are known. */
  unreadable: string | undefined;
}

export function readSnapshot(row: GdprRequestRow, by: Principal, now: Date): StoredSnapshot {
  const { data } = Snapshot.safeParse(row.snapshot);
  const context = data?.context ?? NO_CONTEXT;
  const state = data?.value === undefined ? row.status : parseState(textOf(data.value));
  const machine = attempt(() => machineOf(row.machine, context.participants));
  if (!machine) {
    const unreadable = `this version of the service does not know its machine ${row.machine}`;
    return { state, context, machine, offers: [], unreadable };
  }
  const offered = attempt(() => availableDecisions(row, by, now));
  const unreadable = offered ? undefined : `its machine ${row.machine} does not know this state`;
  return { state, context, machine, offers: offered ?? [], unreadable };
}

/** Text of a state value as in the journal. */
function textOf(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** Returns undefined if `run` throws, so that the page can show an unreadable request. */
function attempt<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch {
    return undefined;
  }
}
