/** Facts that several checks derive from the evidence: what each customer has gone through, change by change. */
import type { Evidence, Operation, Values } from "./history.ts";

/** Rows of the tables, as far as checks read them. */
export interface JournalRow {
  actor_kind: string;
  actor_id: string;
  sequence: number;
  event_type: string;
  principal_id: string;
  at: string;
}

export interface CustomerRow {
  store_id: string;
  customer_id: string;
  email: string | null;
  first_name: string | null;
  last_name: string | null;
  status: string;
  version: number;
  membership_version: number;
  anonymized_at: string | null;
}

export interface OutboxRow {
  event_id: string;
  store_id: string;
  topic: string;
  key: string;
  seq: number;
  created_at: string;
  published_at: string | null;
  payload: {
    traceId?: string;
    requestId?: string;
    action?: string;
    occurredAt?: string;
    actor?: { id: string };
    target?: { type: string; id: string };
  };
}

export interface RequestRow {
  store_id: string;
  request_id: string;
  customer_id: string;
  type: string;
  status: string;
  outcome: string | null;
  version: number;
  created_at: string;
  snapshot: { value: unknown };
}

/** One journalled change of a customer, and the customer after it. */
export interface Change {
  row: JournalRow;
  /** Trace of the audit event of the change; undefined if there is no such event. */
  trace: string | undefined;
  /** The operation that has caused it; undefined for the service's changes and for invented ones. */
  operation: Operation | undefined;
  version: number;
  membershipVersion: number;
  values: Values;
  groupIds: ReadonlySet<string>;
  /** Streets of the addresses. */
  streets: ReadonlySet<string>;
}

export interface Story {
  customerId: string;
  row: CustomerRow | undefined;
  changes: Change[];
}

export interface Facts {
  evidence: Evidence;
  stories: Map<string, Story>;
  /** Changes by the number of their operation. */
  changesOf: Map<number, Change[]>;
  /** Requests that an operation has opened, by its number. */
  requestsOf: Map<number, RequestRow[]>;
  /** Customer of an operation, also of those whose answer was lost. */
  customerOf(operation: Operation): string | undefined;
  requests: RequestRow[];
  outbox: OutboxRow[];
  customers: CustomerRow[];
  journal: JournalRow[];
}

/** Rows of a table. */
export function rowsOf<T>({ tables }: Evidence, table: string): T[] {
  return (tables[table] ?? []) as T[];
}

export function gatherFacts(evidence: Evidence): Facts {
  const customers = rowsOf<CustomerRow>(evidence, "customers");
  const journal = rowsOf<JournalRow>(evidence, "actor_events");
  const outbox = rowsOf<OutboxRow>(evidence, "outbox").toSorted((a, b) => a.seq - b.seq);
  const requests = rowsOf<RequestRow>(evidence, "gdpr_requests");
  const stories = new Map<string, Story>();
  const changesOf = new Map<number, Change[]>();
  const byTrace = new Map(evidence.operations.map((operation) => [operation.trace, operation]));
  const byCustomer = Map.groupBy(
    journal.filter(({ actor_kind }) => actor_kind === "customer"),
    ({ actor_id }) => actor_id,
  );
  const audits = auditsOf(outbox);
  const adds = new Map(
    evidence.operations.flatMap((operation) =>
      operation.command === "address.add" && operation.addressId
        ? [[operation.addressId, operation.values.line1 ?? ""]]
        : []
    ),
  );
  for (const row of customers) {
    stories.set(row.customer_id, { customerId: row.customer_id, row, changes: [] });
  }
  for (const [customerId, rows] of byCustomer) {
    const story = stories.get(customerId) ?? { customerId, row: undefined, changes: [] };
    stories.set(customerId, story);
    let before = NOTHING;
    for (const row of rows.toSorted((a, b) => a.sequence - b.sequence)) {
      const trace = audits.get(auditKey(row.actor_id, row.principal_id, row.at))?.shift();
      const asked = trace === undefined ? undefined : byTrace.get(trace);
      const operation = asked?.command === row.event_type ? asked : undefined;
      const change: Change = { ...apply(before, row.event_type, operation, adds), row, trace, operation };
      if (operation) changesOf.set(operation.id, [...changesOf.get(operation.id) ?? [], change]);
      story.changes.push(change);
      before = change;
    }
  }
  return {
    evidence,
    stories,
    changesOf,
    requestsOf: requestsByOperation(evidence, outbox, requests),
    customerOf: ({ id, customerId }) => customerId ?? changesOf.get(id)?.[0]?.row.actor_id,
    requests,
    outbox,
    customers,
    journal,
  };
}

type State = Pick<Change, "version" | "membershipVersion" | "values" | "groupIds" | "streets">;

const NOTHING: State = {
  version: 0,
  membershipVersion: 1,
  values: {},
  groupIds: new Set(),
  streets: new Set(),
};
const ERASED: Values = { email: null, firstName: null, lastName: null };

/** The customer after a change. */
function apply(
  { version, membershipVersion, values, groupIds, streets }: State,
  event: string,
  operation: Operation | undefined,
  adds: ReadonlyMap<string, string>,
): State {
  const groupId = operation?.groupId ?? "";
  const street = operation?.values.line1 ?? "";
  const isOfMembership = event.startsWith("group.");
  const next = {
    version: isOfMembership ? version : version + 1,
    membershipVersion: isOfMembership ? membershipVersion + 1 : membershipVersion,
  };
  const profile = { values, groupIds, streets };
  switch (event) {
    case "register":
      return { ...next, ...profile, values: { status: "ACTIVE", ...operation?.values } };
    case "erase":
      return { ...next, values: ERASED, groupIds: new Set(), streets: new Set() };
    case "group.assign":
      return { ...next, ...profile, groupIds: new Set([...groupIds, groupId]) };
    case "group.remove":
      return { ...next, ...profile, groupIds: groupIds.difference(new Set([groupId])) };
    case "address.add":
      return { ...next, ...profile, streets: new Set([...streets, street]) };
    case "address.delete": {
      const deleted = adds.get(operation?.addressId ?? "") ?? "";
      return { ...next, ...profile, streets: streets.difference(new Set([deleted])) };
    }
    default:
      return { ...next, ...profile, values: { ...values, ...operation?.values } };
  }
}

const ACCESSES =
  /^(CUSTOMERS?_(READ|LISTED|EXPORTED|IMPORTED)|GDPR_\w+_(READ|LISTED|DOWNLOADED)|ACCESS_REFUSED)$/;

/** Accesses and refusals are audit events without a change. */
export function isAccess({ topic, payload }: OutboxRow): boolean {
  return topic === "audit.event" && ACCESSES.test(payload.action ?? "");
}

/** Audit events of changes. */
export function changeAudits(outbox: readonly OutboxRow[]): OutboxRow[] {
  return outbox.filter((row) => row.topic === "audit.event" && !isAccess(row));
}

/** Traces of the audit events by actor, principal and time, in their order. */
function auditsOf(outbox: readonly OutboxRow[]): Map<string, string[]> {
  const traces = new Map<string, string[]>();
  for (const { payload: { target, actor, occurredAt, traceId } } of changeAudits(outbox)) {
    const key = auditKey(target?.id ?? "", actor?.id ?? "", occurredAt ?? "");
    traces.set(key, [...traces.get(key) ?? [], traceId ?? ""]);
  }
  return traces;
}

function auditKey(actorId: string, principal: string, at: string): string {
  return `${actorId} ${principal} ${Date.parse(at)}`;
}

function requestsByOperation(
  { operations }: Evidence,
  outbox: readonly OutboxRow[],
  requests: readonly RequestRow[],
): Map<number, RequestRow[]> {
  const byId = new Map(requests.map((request) => [request.request_id, request]));
  const opened = new Map<string, string[]>();
  for (const { payload: { action, target, traceId = "" } } of changeAudits(outbox)) {
    if (action !== "GDPR_REQUEST_OPENED" || !target) continue;
    opened.set(traceId, [...opened.get(traceId) ?? [], target.id]);
  }
  return new Map(
    operations.filter(({ command }) => command === "open").map(({ id, trace }) => [
      id,
      (opened.get(trace) ?? []).flatMap((requestId) => byId.get(requestId) ?? []),
    ]),
  );
}
