/** Reads the data of a customer's page. */
import type { Principal } from "../../domain/principal.ts";
import type { ProfileField } from "../../domain/profile.ts";
import { mayReadValues } from "../../domain/authorization.ts";
import type { ActorEventRow } from "../../db/actor_events.ts";
import { findEvent, type SummarizedEvent, summarizeJournal } from "../../db/actor_history.ts";
import { findHoldsInEffect, type NotedHold } from "../../db/customer_holds.ts";
import { type CustomerFacts, findCustomerFacts, findCustomerFingerprint } from "../../db/customer_facts.ts";
import { type FoundRequest, searchRequests } from "../../db/gdpr_search.ts";
import type { Customer, Lookups, Membership } from "../../db/lookups.ts";
import { settingsOf } from "../../db/store_settings.ts";
import type { StoreReader } from "../../db/store_reader.ts";
import { readLines } from "../timeline/read.ts";
import type { TimelineLine } from "../timeline/runs.ts";

/** Maximum number of requests on the page; the overview lists all of them. */
export const REQUESTS = 50;

/** Parameters of the page. */
export interface CustomerView {
  customerId: string;
  /** Sequence of the event after which the chart is shown; undefined: the present. */
  at: number | undefined;
  /** Sequence of the newest event on the timeline's page; undefined: the last event. */
  upTo: number | undefined;
}

/** Values of the columns in the personal-data map. */
export type PersonalValues = Pick<Customer, ProfileField | "addresses">;

export interface CustomerReading {
  /** Text that changes whenever this data changes. */
  fingerprint: string;
  facts: CustomerFacts;
  /** Undefined if the viewer may not read them; the query is then skipped. */
  values: PersonalValues | undefined;
  /** In resolution order. */
  groups: Membership[];
  /** Legal holds in effect, newest first. */
  holds: NotedHold[];
  /** Days for which the store keeps closed accounts; null: without an end. */
  retentionDays: number | null;
  /** Newest first; REQUESTS + 1 if there are more. */
  requests: FoundRequest[];
  /** Journal up to `moment`, for the chart. */
  summary: SummarizedEvent[];
  /** Page of the timeline, newest first. */
  lines: TimelineLine[];
  /** Event that the page shows; undefined: the present. */
  moment: ActorEventRow | undefined;
}

/** @returns undefined if the customer or the event does not exist in the store */
export async function readCustomer(
  { reader, lookups }: { reader: StoreReader; lookups: Lookups },
  by: Principal,
  { customerId, at, upTo }: CustomerView,
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
      const [requests, summary, lines, holds, settings] = await Promise.all([
        searchRequests(sql, { storeId, filter: { customerId }, now }, {
          order: "NEWEST",
          limit: REQUESTS + 1,
        }),
        summarizeJournal(sql, key, at ?? facts.events),
        readLines(sql, key, { upTo: upTo ?? facts.events, shown: at }),
        findHoldsInEffect(sql, { storeId, customerId }),
        settingsOf(sql, storeId),
      ]);
      return {
        fingerprint,
        facts,
        moment,
        requests,
        summary,
        lines,
        holds,
        retentionDays: settings.closedAccountRetentionDays,
      };
    }),
  ]);
  return reading && { ...reading, values, groups: groups?.memberships ?? [] };
}
