/** Reads what the page of a customer shows. */
import type { Principal } from "../../domain/principal.ts";
import { mayReadValues } from "../../domain/authorization.ts";
import type { ActorEventRow } from "../../db/actor_events.ts";
import { findEvent, type SummarizedEvent, summarizeJournal } from "../../db/actor_history.ts";
import { type CustomerFacts, findCustomerFacts, findCustomerFingerprint } from "../../db/customer_facts.ts";
import { type FoundRequest, searchRequests } from "../../db/gdpr_search.ts";
import type { Customer, Lookups, Membership } from "../../db/lookups.ts";
import type { StoreReader } from "../../db/store_reader.ts";
import { readLines } from "../timeline/read.ts";
import type { Line } from "../timeline/runs.ts";

/** Requests that are shown at most; all of them stand on the overview. */
export const REQUESTS = 50;

/** What a page is asked for. */
export interface View {
  customerId: string;
  /** The sequence of the event after which the chart is shown; undefined for the present. */
  at: number | undefined;
  /** The sequence of the newest event of the timeline's page. */
  upTo: number | undefined;
}

/** What stands in the columns of the personal-data map. */
export type Values = Pick<
  Customer,
  "email" | "firstName" | "lastName" | "phone" | "locale" | "addresses"
>;

export interface CustomerReading {
  /** Changes with what is read here. */
  fingerprint: string;
  facts: CustomerFacts;
  /** Undefined for who may not read them; they are not read then. */
  values: Values | undefined;
  /** In resolution order. */
  groups: Membership[];
  /** The newest first; one more than are shown where there are more. */
  requests: FoundRequest[];
  /** The journal up to the moment, for the chart. */
  summary: SummarizedEvent[];
  /** A page of the timeline, newest first. */
  lines: Line[];
  moment: ActorEventRow | undefined;
}

/** @returns undefined where the store has no such customer, or the customer no such event */
export async function readCustomer(
  { reader, lookups }: { reader: StoreReader; lookups: Lookups },
  by: Principal,
  { customerId, at, upTo }: View,
  now: Date,
): Promise<CustomerReading | undefined> {
  const { storeId } = by;
  const key = { storeId, actorKind: "customer", actorId: customerId };
  const [values, groups, reading] = await Promise.all([
    mayReadValues(by) ? lookups.findCustomer({ storeId, customerId }) : undefined,
    lookups.findCustomerGroups({ storeId, customerId }),
    reader.read(storeId, async (sql) => {
      const [fingerprint, facts, moment] = await Promise.all([
        findCustomerFingerprint(sql, storeId, customerId),
        findCustomerFacts(sql, storeId, customerId),
        at === undefined ? undefined : findEvent(sql, key, at),
      ]);
      if (!facts || (at !== undefined && !moment)) return undefined;
      const [requests, summary, lines] = await Promise.all([
        searchRequests(sql, { storeId, filter: { customerId }, now }, {
          order: "NEWEST",
          limit: REQUESTS + 1,
        }),
        summarizeJournal(sql, key, at ?? facts.version),
        readLines(sql, key, { upTo: upTo ?? facts.version, shown: at }),
      ]);
      return { fingerprint, facts, moment, requests, summary, lines };
    }),
  ]);
  return reading && { ...reading, values, groups: groups?.memberships ?? [] };
}
