/** All methods of CustomerService: a request and its context in, a message out. */
import type { Actors } from "../actors/commands.ts";
import type { ReadNotice } from "../actors/gdpr/notices/read.ts";
import type { RequestLookups } from "../db/gdpr_lookups.ts";
import type { Lookups } from "../db/lookups.ts";
import { createConfirmErasure } from "./confirm_erasure.ts";
import type { CustomerMethods } from "./contract.ts";
import { createLookupMethods } from "./lookups.ts";
import { createNoticeMethods } from "./notices.ts";

export interface MethodOptions {
  lookups: Lookups;
  requests: RequestLookups;
  actors: Actors;
  readNotice: ReadNotice;
}

export function createMethods(
  { lookups, requests, actors, readNotice }: MethodOptions,
): CustomerMethods {
  return {
    ...createLookupMethods(lookups),
    confirmErasure: createConfirmErasure(actors, requests),
    ...createNoticeMethods(actors, readNotice),
  };
}
