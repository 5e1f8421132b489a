/** What a request's row says, however odd: another version may have written its snapshot. */
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
    startsAt: z.number().optional().catch(undefined),
    residue: z.number().optional().catch(undefined),
    extended: z.boolean().catch(false),
    cause: z.string().catch("REQUEST"),
  }),
});

export type StoredContext = z.output<typeof Snapshot>["context"];

const NO_CONTEXT = { participants: [], asked: {}, extended: false, cause: "REQUEST" };

export interface Stored {
  state: StateValue;
  context: StoredContext;
  /** Undefined where this version does not know it. */
  machine: AnyStateMachine | undefined;
  /** What may be done with it now. */
  offers: AvailableDecision[];
  /** Why nothing can be done, in words that follow the state; undefined where something could. */
  unreadable: string | undefined;
}

export function readStored(row: GdprRequestRow, by: Principal, now: Date): Stored {
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

/** As the journal would have it. */
function textOf(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** A page that tells what is odd is worth more than none, whatever the machine stumbles over. */
function attempt<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch {
    return undefined;
  }
}
