/** Audit of refusals over REST, GraphQL, gRPC and in the inspector: at most two events per principal and minute. */
import { getLogger } from "@logtape/logtape";
import type { Principal } from "../domain/principal.ts";
import { describeError } from "../lib/error_description.ts";
import { newTraceparent } from "../lib/trace_context.ts";
import type { Access, AuditLog } from "./audit_log.ts";

export interface Refusal extends Pick<Access, "operation" | "traceparent" | "target"> {
  /** The refused caller. Without a store, in which an event would be stored, the refusal is logged instead. */
  by: RefusedPrincipal;
  /**
   * Counts the refusals of the principal in all stores together: the caller chooses the store of each call. The events
   * are those of the store of the first refusal in a minute.
   */
  acrossStores?: boolean;
}

export type RefusedPrincipal = Omit<Principal, "storeId"> & { storeId?: string | undefined };

/** Disposal records the refusals that are still counted. */
export interface RefusalLog extends AsyncDisposable {
  /**
   * Records the first refusal of a principal in a minute and counts the others, which one event reports when the minute
   * ends. Never throws: the caller is refused anyway, and a refusal that cannot be recorded is logged as an error.
   */
  report(refusal: Refusal): Promise<void>;
}

export interface RefusalLogOptions {
  windowMs?: number;
  /** Principals that are counted at the same time; beyond them the oldest window ends early. */
  maxPrincipals?: number;
}

interface Window {
  by: RefusedPrincipal;
  /** Refusals since the recorded one. */
  count: number;
  timer: ReturnType<typeof setTimeout>;
}

const log = getLogger(["customer-service", "audit"]);

export function createRefusalLog(
  audit: AuditLog,
  { windowMs = 60_000, maxPrincipals = 10_000 }: RefusalLogOptions = {},
): RefusalLog {
  const windows = new Map<string, Window>();
  const ending = new Set<Promise<void>>();

  const record = async ({ by, ...access }: Omit<Access, "action" | "by"> & { by: RefusedPrincipal }) => {
    const { storeId } = by;
    if (storeId === undefined) {
      return log.warn("Refused {refusals} calls of {caller}, which named no store", {
        refusals: access.refusals,
        caller: by.service ?? by.id,
        operation: access.operation,
      });
    }
    try {
      await audit.record({ ...access, by: { ...by, storeId }, action: "ACCESS_REFUSED" });
    } catch (error) {
      log.error("Cannot record {refusals} refused requests: {reason}", {
        refusals: access.refusals,
        reason: describeError(error),
      });
    }
  };

  async function end(key: string, { by, count, timer }: Window): Promise<void> {
    windows.delete(key);
    clearTimeout(timer);
    if (count === 0) return;
    const recording = record({ by, operation: "", traceparent: newTraceparent(), refusals: count });
    ending.add(recording);
    await recording;
    ending.delete(recording);
  }

  return {
    async report({ acrossStores = false, ...refusal }) {
      const { by } = refusal;
      const key = `${acrossStores ? "" : by.storeId} ${by.type} ${by.id} ${by.service ?? ""}`;
      const open = windows.get(key);
      if (open) {
        open.count++;
        return;
      }
      const [oldest] = windows;
      if (oldest && windows.size >= maxPrincipals) void end(...oldest);
      const window: Window = { by, count: 0, timer: setTimeout(() => void end(key, window), windowMs) };
      Deno.unrefTimer(window.timer as unknown as number);
      windows.set(key, window);
      await record({ ...refusal, refusals: 1 });
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...windows].map(([key, window]) => end(key, window)));
      await Promise.all(ending);
    },
  };
}
