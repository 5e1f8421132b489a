/** Caller of a request: read when a resolver first needs it, once for the whole request. */
import type { GraphQLResolveInfo } from "graphql";
import { DomainError } from "../domain/errors.ts";
import { readIdempotencyKey } from "../actors/runtime/idempotency.ts";
import type { Principal } from "../domain/principal.ts";
import type { CommandContext } from "../actors/runtime/protocol.ts";
import type { RefusalLog } from "../actors/refusal_log.ts";
import type { Authenticator } from "../auth/principals.ts";
import { sha256 } from "../lib/hash.ts";

export interface GraphCaller {
  /** @throws {DomainError} UNAUTHENTICATED, UNAVAILABLE; FORBIDDEN for any caller but a shopper */
  shopper(): Promise<Principal>;
  /** Trace context of the request; a new trace if it has none. A function, because most queries need none. */
  traceparent(): string;
  /** Whether the client still waits for the answer. */
  wanted(): boolean;
  /**
   * Idempotency key of one change: a request may contain several, each with its own stored answer.
   *
   * @param field name of the change's result in the response
   * @throws {DomainError} INVALID_INPUT
   */
  idempotencyKey(field: string): string | undefined;
}

/** Facts of a request that its URL, headers and body do not contain. */
export interface RequestFacts {
  /** Network address of the client. */
  address: string | undefined;
  /** Trace context of the request. */
  traceparent(): string;
}

export function createCaller(
  { headers, signal }: Request,
  authenticate: Authenticator,
  refusals: RefusalLog,
  { address, traceparent }: RequestFacts,
): GraphCaller {
  let shopper: Promise<Principal> | undefined;
  const requireShopper = async (by: Principal): Promise<Principal> => {
    if (by.type === "CUSTOMER") return by;
    await refusals.report({ by, operation: "graphql", traceparent: traceparent() });
    throw new DomainError(
      "FORBIDDEN",
      `Cannot use the customer graph as ${by.type}: it is for shoppers only`,
    );
  };
  return {
    shopper: () => shopper ??= authenticate(headers, address).then(requireShopper),
    traceparent,
    wanted: () => !signal.aborted,
    idempotencyKey: (field) => readKey(headers.get("idempotency-key"), field),
  };
}

/**
 * Principal and preconditions of a change.
 *
 * @param field name of the change's result in the response
 * @throws {DomainError} what the caller's methods throw
 */
export async function commandContext(
  caller: GraphCaller,
  field: string,
  expectedVersion?: number | null,
): Promise<CommandContext> {
  const by = await caller.shopper();
  const idempotencyKey = await caller.idempotencyKey(field);
  const { wanted } = caller;
  return {
    by,
    traceparent: caller.traceparent(),
    expectedVersion: expectedVersion ?? undefined,
    idempotencyKey,
    wanted,
  };
}

/** Name of a change's result in the response: its alias, where it has one. */
export function field({ path }: GraphQLResolveInfo): string {
  return String(path.key);
}

function readKey(header: string | null, field: string): string | undefined {
  const key = readIdempotencyKey(header);
  if (key === undefined) return undefined;
  return sha256(`${field} ${key}`).toHex();
}
