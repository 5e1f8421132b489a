/** Methods of CustomerService and their call context, independent of the transport. */
import { DomainError } from "../domain/errors.ts";
import type { Caller } from "../auth/callers.ts";
import type { CustomerKey, GroupsKey } from "../db/lookups.ts";
import type {
  ConfirmErasureRequest,
  ConfirmErasureResponse,
  ConfirmNoticeRequest,
  ConfirmNoticeResponse,
  GetNoticeRequest,
  GetNoticeResponse,
} from "../proto/gen/io/shopstar/customer/v1/customer_service_pb.ts";
import type { GroupsAnswer, SnapshotAnswer } from "./lookup_codec.ts";

/** Context of a call. */
export interface CallContext {
  caller: Caller;
  /** Deadline of the caller; undefined when it has none. */
  deadline: Date | undefined;
  /** Aborted when the caller no longer waits: canceled, past the deadline, or the connection lost. */
  signal: AbortSignal;
  /** Whether the caller still waits; cheaper than the signal. */
  wanted(): boolean;
  /** Trace context of the caller, if it sent one. */
  traceparent?: string | undefined;
}

/**
 * One function for each rpc of the contract; `rpc/codecs.ts` has its messages. They throw a DomainError for every status
 * that the contract's comments name.
 */
export interface CustomerMethods {
  getCustomerGroups(request: GroupsKey, context: CallContext): Promise<GroupsAnswer>;
  getCustomerSnapshot(request: CustomerKey, context: CallContext): Promise<SnapshotAnswer>;
  confirmErasure(request: ConfirmErasureRequest, context: CallContext): Promise<ConfirmErasureResponse>;
  getNotice(request: GetNoticeRequest, context: CallContext): Promise<GetNoticeResponse>;
  confirmNotice(request: ConfirmNoticeRequest, context: CallContext): Promise<ConfirmNoticeResponse>;
}

/** @throws {DomainError} FORBIDDEN: the caller belongs to another store */
export function requireStore({ caller }: CallContext, storeId: string): void {
  if (caller.storeId === undefined || caller.storeId === storeId) return;
  throw new DomainError(
    "FORBIDDEN",
    `Cannot look into store ${storeId}: ${caller.service} calls for store ${caller.storeId}`,
  );
}
