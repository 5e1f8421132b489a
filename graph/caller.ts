/** What a request says about who asks and how: read when a resolver first needs it, once for the whole request. */
import type { GraphQLResolveInfo } from "graphql";
import { DomainError } from "../actors/errors.ts";
import { readIdempotencyKey } from "../actors/idempotency.ts";
import type { Principal } from "../actors/principal.ts";
import type { CommandContext } from "../actors/protocol.ts";
import { readTraceId } from "../actors/trace.ts";
import type { Authenticator } from "../auth/principals.ts";

export interface Caller {
  /** @throws {DomainError} UNAUTHENTICATED, UNAVAILABLE; FORBIDDEN for anybody but a shopper */
  shopper(): Promise<Principal>;
  /** W3C trace id. */
  traceId: string;
  /**
   * The key of one change: a request may hold several, which must not take each other's answers.
   *
   * @param field the name under which the change's result appears in the response
   * @throws {DomainError} INVALID_INPUT
   */
  idempotencyKey(field: string): Promise<string | undefined>;
}

export function createCaller(headers: Headers, authenticate: Authenticator): Caller {
  let shopper: Promise<Principal> | undefined;
  return {
    shopper: () => shopper ??= authenticate(headers).then(requireShopper),
    traceId: readTraceId(headers.get("traceparent")),
    idempotencyKey: (field) => readKey(headers.get("idempotency-key"), field),
  };
}

/**
 * On whose behalf a change comes, and on which conditions.
 *
 * @param field the name under which the change's result appears in the response
 * @throws {DomainError} what the caller's methods throw
 */
export async function commandContext(
  caller: Caller,
  field: string,
  expectedVersion?: number | null,
): Promise<CommandContext> {
  const by = await caller.shopper();
  const idempotencyKey = await caller.idempotencyKey(field);
  return { by, traceId: caller.traceId, expectedVersion: expectedVersion ?? undefined, idempotencyKey };
}

/** The name under which a change's result appears in the response: its alias, where it has one. */
export function field({ path }: GraphQLResolveInfo): string {
  return String(path.key);
}

function requireShopper(principal: Principal): Principal {
  if (principal.type === "CUSTOMER") return principal;
  throw new DomainError(
    "FORBIDDEN",
    `Cannot use the customer graph as ${principal.type}: it is for shoppers only`,
  );
}

async function readKey(header: string | null, field: string): Promise<string | undefined> {
  const key = readIdempotencyKey(header);
  if (key === undefined) return undefined;
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(`${field} ${key}`));
  return new Uint8Array(digest).toHex();
}
