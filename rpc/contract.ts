/** How the methods of CustomerService are called, whatever carries them, and which there are. */
import type { MessageShape } from "@bufbuild/protobuf";
import { DomainError } from "../domain/errors.ts";
import type { Caller } from "../auth/callers.ts";
import type { CustomerService } from "../proto/gen/io/shopstar/customer/v1/customer_service_pb.ts";

/** Under which circumstances a call comes. */
export interface CallContext {
  caller: Caller;
  /** When the caller stops waiting; undefined when it waits for as long as it takes. */
  deadline: Date | undefined;
  /** Aborted once nobody waits any more: cancelled, past the deadline, or the connection lost. */
  signal: AbortSignal;
  /** Whether somebody still waits; cheaper than the signal. */
  wanted(): boolean;
  /** Where in which trace the caller stands, if it says so. */
  traceparent?: string | undefined;
}

type Rpcs = typeof CustomerService.method;

/**
 * One function for each rpc of the contract: a new rpc does not compile before it has one. They throw a DomainError
 * for everything that the contract's comments name.
 */
export type CustomerMethods = {
  [Name in keyof Rpcs]: (
    request: MessageShape<Rpcs[Name]["input"]>,
    context: CallContext,
  ) => Promise<MessageShape<Rpcs[Name]["output"]>>;
};

/** @throws {DomainError} FORBIDDEN: the caller calls for another store */
export function requireStore({ caller }: CallContext, storeId: string): void {
  if (caller.storeId === undefined || caller.storeId === storeId) return;
  throw new DomainError(
    "FORBIDDEN",
    `Cannot look into store ${storeId}: ${caller.service} calls for store ${caller.storeId}`,
  );
}
