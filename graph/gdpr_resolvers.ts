/** Resolvers of the GDPR fields in schema.graphql. */
import type { GraphQLResolveInfo } from "graphql";
import type { LinkToExport } from "../actors/gdpr/exports/downloads.ts";
import type { LinkToReceipt } from "../actors/gdpr/receipts/link.ts";
import { isCancellable } from "../domain/cancellation.ts";
import { informedOf } from "../domain/notices.ts";
import type { SubjectRequest } from "../db/gdpr_lookups.ts";
import type { Customer } from "../db/lookups.ts";
import type { Account } from "./account.ts";
import { field, type GraphCaller } from "./caller.ts";
import type { OwnRequests } from "./gdpr_requests.ts";
import type { Input } from "./inputs.ts";
import type { PageArguments, RequestConnection } from "./request_connection.ts";

interface Cancellation {
  id: string;
  expectedVersion?: number | null;
}

/** Outcomes of erasures that have erased nothing. */
const WITHOUT_RECEIPT: readonly (string | null)[] = ["CANCELLED", "REFUSED", "NOT_IDENTIFIED"];

export interface RequestLinks {
  exportLink: LinkToExport;
  receiptLink: LinkToReceipt;
}

export function createRequestResolvers(
  account: Account,
  requests: OwnRequests,
  { exportLink, receiptLink }: RequestLinks,
) {
  const open =
    (right: SubjectRequest["type"]) => async (_: unknown, __: unknown, caller: GraphCaller, info: Info) => ({
      request: await requests.open(caller, field(info), right),
    });
  // One customer may occur several times in an answer.
  const lists = new WeakMap<Customer, Map<string, Promise<RequestConnection>>>();

  return {
    Query: {
      gdprRequest: (_: unknown, { id }: { id: string }, caller: GraphCaller) => requests.read(caller, id),
      gdprRequests: (_: unknown, page: PageArguments, caller: GraphCaller) => requests.list(caller, page),
    },

    Mutation: {
      requestErasure: open("ERASURE"),
      requestAccess: open("ACCESS"),
      requestPortability: open("PORTABILITY"),
      async requestRectification(_: unknown, { input }: { input: Input }, caller: GraphCaller, info: Info) {
        return { request: await requests.open(caller, field(info), "RECTIFICATION", input) };
      },
      async cancelGdprRequest(
        _: unknown,
        { id, expectedVersion }: Cancellation,
        caller: GraphCaller,
        info: Info,
      ) {
        return { request: await requests.cancel(caller, field(info), id, expectedVersion) };
      },
      async proceedWithErasure(
        _: unknown,
        { id, expectedVersion }: Cancellation,
        caller: GraphCaller,
        info: Info,
      ) {
        return { request: await requests.proceed(caller, field(info), id, expectedVersion) };
      },
    },

    GdprRequestPayload: {
      customer: (_: unknown, __: unknown, caller: GraphCaller) => account.readUnlessErased(caller),
    },

    Customer: {
      gdprRequests(customer: Customer, page: PageArguments, caller: GraphCaller) {
        const key = JSON.stringify([page.first, page.after]);
        let pages = lists.get(customer);
        if (!pages) lists.set(customer, pages = new Map());
        let list = pages.get(key);
        if (!list) pages.set(key, list = requests.list(caller, page));
        return list;
      },
    },

    GdprRequest: {
      id: ({ requestId }: SubjectRequest) => requestId,
      identityVerified: ({ identified }: SubjectRequest) => identified,
      clockPausedSince: ({ informationRequestedAt }: SubjectRequest) => informationRequestedAt,
      requestedInformation: ({ informationReason }: SubjectRequest) => informationReason,
      cancellable: isCancellable,
      waitsForDownloadUntil: ({ fetchWaitEndsAt }: SubjectRequest) => fetchWaitEndsAt,
      async export({ requestId, exported }: SubjectRequest, _: unknown, caller: GraphCaller) {
        if (!exported) return null;
        const { storeId } = await caller.shopper();
        return await exportLink({ storeId, requestId }) ?? null;
      },
      refusalGround: async (request: SubjectRequest, _: unknown, caller: GraphCaller) =>
        (await requests.readInformation(caller, request)).refusalGround,
      notices: async (request: SubjectRequest, _: unknown, caller: GraphCaller) =>
        (await requests.readInformation(caller, request)).notices,
      async informed(request: SubjectRequest, _: unknown, caller: GraphCaller) {
        const { notices, readAt } = await requests.readInformation(caller, request);
        return informedOf(notices, readAt);
      },
      async receipt(
        { requestId, type, outcome, completedAt }: SubjectRequest,
        _: unknown,
        caller: GraphCaller,
      ) {
        if (type !== "ERASURE" || WITHOUT_RECEIPT.includes(outcome)) return null;
        const { storeId } = await caller.shopper();
        return { url: await receiptLink({ storeId, requestId }), issuedAt: completedAt };
      },
    },
  };
}

type Info = GraphQLResolveInfo;
