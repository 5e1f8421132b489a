/** Audit of refused gRPC calls. It reads the message of a call only once the call is refused. */
import type { DescMethod } from "@bufbuild/protobuf";
import type { RefusalLog, RefusedPrincipal } from "../actors/refusal_log.ts";
import { type Caller, CallerRefusedError } from "../auth/callers.ts";
import { hasCode } from "../domain/errors.ts";
import { uuid } from "../domain/input.ts";
import { systemPrincipal } from "../domain/principal.ts";
import { readMessage } from "../grpc/mod.ts";
import { newTraceparent } from "../lib/trace_context.ts";

/** A call that was refused. */
export interface RefusedCall {
  method: DescMethod;
  /** The message, unread. */
  bytes: Uint8Array;
  /** The admitted caller; undefined if the call was refused before it was known. */
  caller: Caller | undefined;
  traceparent: string | undefined;
}

/**
 * Records the refusal (FORBIDDEN, UNAUTHENTICATED) of a caller that has proven who it is; ignores other errors. The event
 * is stored in the store of the caller's token, otherwise in the one that the call names.
 */
export async function reportRefusedCall(
  refusals: RefusalLog,
  error: unknown,
  { method, bytes, caller: admitted, traceparent = newTraceparent() }: RefusedCall,
): Promise<void> {
  const caller = error instanceof CallerRefusedError ? error.caller : admitted;
  if (!caller || !(hasCode(error, "FORBIDDEN") || hasCode(error, "UNAUTHENTICATED"))) return;
  const ids = idsOf(method, bytes);
  const isService = !("type" in caller);
  const by: RefusedPrincipal = isService
    ? { ...systemPrincipal(""), service: caller.service, storeId: caller.storeId ?? ids.storeId }
    : caller;
  const acrossStores = isService && !caller.storeProven;
  await refusals.report({ by, operation: method.name, traceparent, target: targetOf(ids), acrossStores });
}

type Ids = Partial<Record<"storeId" | "requestId" | "customerId", string>>;

/** The IDs that the message names. A refused caller may write anything there, so only UUIDs are taken. */
function idsOf(method: DescMethod, bytes: Uint8Array): Ids {
  try {
    const message = readMessage(method.input, bytes) as unknown as Record<string, unknown>;
    const names = ["storeId", "requestId", "customerId"] as const;
    return Object.fromEntries(names.map((name) => [name, uuid.safeParse(message[name]).data]));
  } catch {
    return {};
  }
}

function targetOf({ requestId, customerId }: Ids) {
  if (requestId !== undefined) return { type: "gdpr_request", id: requestId };
  return customerId === undefined ? undefined : { type: "customer", id: customerId };
}
