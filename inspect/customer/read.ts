/** Reads the data of a customer's page. */
import type { Principal } from "../../domain/principal.ts";
import type { ProfileField } from "../../domain/profile.ts";
import { availableCommands, type StaffCustomerCommand } from "../../actors/customers/available_commands.ts";
import { mayReadValues } from "../../domain/authorization.ts";
import { hasStaffRight } from "../../domain/staff_rights.ts";
import type { ActorEventRow } from "../../db/actor_events.ts";
import { findEvent, type SummarizedEvent, summarizeJournal } from "../../db/actor_history.ts";
import { findHoldsInEffect, type NotedHold } from "../../db/customer_holds.ts";
import { type CustomerFacts, findCustomerFacts, findCustomerFingerprint } from "../../db/customer_facts.ts";
import { type FoundRequest, searchRequests } from "../../db/gdpr_search.ts";
import type { Customer, CustomerKey, Lookups, Membership } from "../../db/lookups.ts";
import { searchShopperGroups, type ShopperGroup } from "../../db/shopper_groups.ts";
import { settingsOf } from "../../db/store_settings.ts";
import type { ReadSql, StoreReader } from "../../db/store_reader.ts";
import { readLines } from "../timeline/read.ts";
import type { TimelineLine } from "../timeline/runs.ts";

/** Maximum number of requests on the page; the overview lists all of them. */
export const REQUESTS = 50;

/** Maximum number of groups to choose from. */
const GROUPS = 500;

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
  /** What the viewer may change now. */
  commands: ReadonlySet<StaffCustomerCommand>;
  /** Groups that the viewer may assign, in the order of their names. */
  assignable: ShopperGroup[];
  /** Legal holds in effect, newest first; undefined if the viewer may not read them. */
  holds: NotedHold[] | undefined;
  /** Days for which the store keeps closed accounts; null: without an end. */
  retentionDays: number | null;
  /** Newest first; REQUESTS + 1 if there are more; undefined if the viewer may not read them. */
  requests: FoundRequest[] | undefined;
  /** Journal up to `moment`, for the chart, which includes legal holds. */
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
  const key = { storeId, customerId };
  const [values, memberships, reading] = await Promise.all([
    mayReadValues(by) ? lookups.findCustomer(key) : undefined,
    lookups.findCustomerGroups(key),
    reader.read(storeId, async (sql) => {
      const [fingerprint, facts, moment] = await Promise.all([
        findCustomerFingerprint(sql, storeId, customerId),
        findCustomerFacts(sql, storeId, customerId),
        at === undefined ? undefined : findEvent(sql, journalOf(key), at),
      ]);
      if (!facts || (at !== undefined && !moment)) return undefined;
      const view = { at, upTo: upTo ?? facts.events, events: facts.events };
      return { fingerprint, facts, moment, ...await readRelated(sql, by, { key, view, now }) };
    }),
  ]);
  if (!reading) return undefined;
  const groups = memberships?.memberships ?? [];
  const commands = availableCommands({ ...reading.facts, groups: groups.length }, by);
  const joined = new Set(groups.map(({ groupId }) => groupId));
  const assignable = commands.has("group.assign")
    ? reading.storeGroups.filter(({ groupId }) => !joined.has(groupId))
    : [];
  return { ...reading, values, groups, commands, assignable };
}

export const journalOf = ({ storeId, customerId }: CustomerKey) => ({
  storeId,
  actorKind: "customer",
  actorId: customerId,
});

interface RelatedView {
  key: CustomerKey;
  view: { at: number | undefined; upTo: number; events: number };
  now: Date;
}

/** Reads what belongs to the customer, as far as the viewer may read it. */
async function readRelated(sql: ReadSql, by: Principal, { key, view, now }: RelatedView) {
  const { storeId, customerId } = key;
  const [mayReadRequests, mayReadHolds] = [
    hasStaffRight("READ_GDPR_REQUESTS", by),
    hasStaffRight("READ_HOLDS", by),
  ];
  const { at, upTo, events } = view;
  const [requests, summary, lines, holds, settings, storeGroups] = await Promise.all([
    mayReadRequests
      ? searchRequests(sql, { storeId, filter: { customerId }, now }, {
        order: "NEWEST",
        limit: REQUESTS + 1,
      })
      : undefined,
    summarizeJournal(sql, journalOf(key), at ?? events),
    readLines(sql, journalOf(key), { upTo, shown: at, without: mayReadHolds ? undefined : "hold." }),
    mayReadHolds ? findHoldsInEffect(sql, key) : undefined,
    settingsOf(sql, storeId),
    hasStaffRight("CHANGE_MEMBERSHIPS", by)
      ? searchShopperGroups(sql, storeId, { deleted: false }, { limit: GROUPS })
      : [],
  ]);
  return {
    requests,
    summary,
    lines,
    holds,
    retentionDays: settings.closedAccountRetentionDays,
    storeGroups: storeGroups.toSorted((one, other) => one.name.localeCompare(other.name, "en")),
  };
}
