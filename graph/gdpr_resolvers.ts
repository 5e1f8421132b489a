/** Resolvers of the GDPR fields in schema.graphql. */
import type { GraphQLResolveInfo } from "graphql";
import type { LinkToExport } from "../actors/gdpr/exports/downloads.ts";
import type { SubjectRequest } from "../db/gdpr_lookups.ts";
import type { Customer } from "../db/lookups.ts";
import { type Caller, field } from "./caller.ts";
import type { Corrections, OwnRequests } from "./gdpr_requests.ts";

interface Cancellation {
  id: string;
  expectedVersion?: number | null;
}

export function createRequestResolvers(requests: OwnRequests, exportLink: LinkToExport) {
  const open = (right: SubjectRequest["type"]) => (_: unknown, __: unknown, caller: Caller, info: Info) =>
    requests.open(caller, field(info), right);
  // One customer may occur several times in an answer.
  const lists = new WeakMap<Customer, Promise<SubjectRequest[]>>();

  return {
    Query: {
      gdprRequest: (_: unknown, { id }: { id: string }, caller: Caller) => requests.read(caller, id),
      gdprRequests: (_: unknown, __: unknown, caller: Caller) => requests.list(caller),
    },

    Mutation: {
      requestErasure: open("ERASURE"),
      requestAccess: open("ACCESS"),
      requestPortability: open("PORTABILITY"),
      requestRectification: (_: unknown, { input }: { input: Corrections }, caller: Caller, info: Info) =>
        requests.open(caller, field(info), "RECTIFICATION", input),
      cancelGdprRequest: (
        _: unknown,
        { id, expectedVersion }: Cancellation,
        caller: Caller,
        info: Info,
      ) => requests.cancel(caller, field(info), id, expectedVersion),
      proceedWithErasure: (
        _: unknown,
        { id, expectedVersion }: Cancellation,
        caller: Caller,
        info: Info,
      ) => requests.proceed(caller, field(info), id, expectedVersion),
    },

    Customer: {
      gdprRequests(customer: Customer, _: unknown, caller: Caller) {
        let list = lists.get(customer);
        if (!list) lists.set(customer, list = requests.list(caller));
        return list;
      },
    },

    GdprRequest: {
      id: ({ requestId }: SubjectRequest) => requestId,
      waitsForDownloadUntil: ({ fetchWaitEndsAt }: SubjectRequest) => fetchWaitEndsAt,
      async export({ requestId, exported }: SubjectRequest, _: unknown, caller: Caller) {
        if (!exported) return null;
        const { storeId } = await caller.shopper();
        return await exportLink({ storeId, requestId }) ?? null;
      },
    },
  };
}

type Info = GraphQLResolveInfo;
