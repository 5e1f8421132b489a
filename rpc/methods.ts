/** All methods of CustomerService: a request and its context in, a message out. */
import type { Actors } from "../actors/commands.ts";
import type { ReadNotice } from "../actors/gdpr/notices/read.ts";
import type { RequestLookups } from "../db/gdpr_lookups.ts";
import type { Lookups } from "../db/lookups.ts";
import { createConfirmErasure } from "./confirm_erasure.ts";
import type { CustomerMethods } from "./contract.ts";
import { createGetCustomerGroups, createGetCustomerSnapshot } from "./lookups.ts";
import { createNoticeMethods } from "./notices.ts";

export interface MethodOptions {
  lookups: Lookups;
  /** Lookups that may be served by a replica nearby; absent: `lookups`. */
  nearby?: Pick<Lookups, "findCustomerGroups"> | undefined;
  requests: RequestLookups;
  actors: Actors;
  readNotice: ReadNotice;
}

export function createMethods(
  { lookups, nearby = lookups, requests, actors, readNotice }: MethodOptions,
): CustomerMethods {
  return {
    getCustomerGroups: createGetCustomerGroups(nearby),
    getCustomerSnapshot: createGetCustomerSnapshot(lookups),
    confirmErasure: createConfirmErasure(actors, requests),
    ...createNoticeMethods(actors, readNotice),
  };
}
