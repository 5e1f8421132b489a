/** Query parameters of the overview: filters, sort order and cursor. */
import { z } from "zod";
import { AT_RISK_MS, OUTCOMES } from "../../actors/gdpr/machines/events.ts";
import { RIGHTS } from "../../actors/gdpr/types.ts";
import { text, uuid } from "../../domain/input.ts";
import type { RequestFilter, RequestOrder, RequestPosition } from "../../db/gdpr_search.ts";
import { addMilliseconds } from "../../lib/dates.ts";

export const STATUSES = ["PENDING", "IN_PROGRESS", "COMPLETED"] as const;

const DAY = "a day such as 2026-03-31, in UTC";
const day = z.iso.date();

/** Filters that take several values, by parameter name, with the accepted values. */
const CHOICES = { type: RIGHTS, status: STATUSES, outcome: OUTCOMES } as const;
type Choices = typeof CHOICES;
export type ChoiceName = keyof Choices;

/** Values that stand for several others. */
const SYNONYMS: Partial<Record<ChoiceName, Readonly<Record<string, readonly string[]>>>> = {
  status: { OPEN: ["PENDING", "IN_PROGRESS"] },
};

/** Filters that take one value, by parameter name, with their schema and accepted values. */
const FILTERS = {
  due: { schema: z.enum(["overdue", "at_risk"]), accepts: "overdue, at_risk" },
  held: { schema: z.literal("yes"), accepts: "yes" },
  proposed: { schema: z.literal("yes"), accepts: "yes" },
  download: { schema: z.literal("yes"), accepts: "yes" },
  undelivered: { schema: z.literal("yes"), accepts: "yes" },
  identity: { schema: z.literal("unverified"), accepts: "unverified" },
  stuck: { schema: z.literal("yes"), accepts: "yes" },
  waiting: { schema: text(100), accepts: "the name of a service" },
  customer: { schema: uuid, accepts: "the ID of a customer" },
  receivedFrom: { schema: day, accepts: DAY },
  receivedTo: { schema: day, accepts: DAY },
  dueFrom: { schema: day, accepts: DAY },
  dueTo: { schema: day, accepts: DAY },
};
type Filters = typeof FILTERS;

/** Other parameters. */
const OTHERS = ["sort", "after", "store"];

/** Values of the filters that are set. */
export type FilterValues =
  & { [Name in ChoiceName]?: readonly Choices[Name][number][] | undefined }
  & { [Name in keyof Filters]?: z.output<Filters[Name]["schema"]> | undefined };

export const SORTS = { due: "DUE", newest: "NEWEST", oldest: "OLDEST" } as const satisfies Record<
  string,
  RequestOrder
>;
export type Sort = keyof typeof SORTS;

export interface OverviewQuery {
  filters: FilterValues;
  sort: Sort;
  after: RequestPosition | undefined;
  /** Sentences about parameters that were ignored. They contain no values of the address. */
  notices: string[];
}

/** Maximum number of unknown parameters that get a notice. */
const MAX_UNKNOWN = 5;

/** Parses the parameters. Ignores invalid ones and adds a notice about each. */
export function readQuery(parameters: URLSearchParams): OverviewQuery {
  const notices: string[] = [];
  const filters: Record<string, string | readonly string[]> = {};
  let unknown = 0;
  for (const [name, given] of Map.groupBy(parameters, ([name]) => name)) {
    const values = given.map(([, value]) => value).filter((value) => value.trim() !== "");
    const [value = "", another] = values;
    if (Object.hasOwn(CHOICES, name)) {
      const chosen = readChoice(name as ChoiceName, values, notices);
      if (chosen.length > 0) filters[name] = chosen;
      continue;
    }
    const isOther = OTHERS.includes(name);
    const isFilter = Object.hasOwn(FILTERS, name);
    if (another !== undefined && (isFilter || isOther)) {
      notices.push(`The address contains ${name} more than once; only the first value is used.`);
    }
    if (isOther || value === "") continue;
    if (!isFilter) {
      const known = /^[\w-]{1,30}$/.test(name) ? name : "an unknown parameter";
      if (++unknown <= MAX_UNKNOWN) {
        notices.push(`The address contains ${known}, which is not a parameter of this page. It is ignored.`);
      }
      continue;
    }
    const { schema, accepts } = FILTERS[name as keyof Filters];
    const { data } = schema.safeParse(value);
    if (data === undefined) notices.push(invalidValue(name, accepts));
    else filters[name] = data;
  }
  const sort = readSort(parameters, notices);
  const cursor = parameters.get("after") || undefined;
  const after = readCursor(sort, cursor);
  if (cursor !== undefined && !after) {
    notices.push("The cursor in the address does not belong to this list. This is the first page.");
  }
  return { filters: filters as FilterValues, sort, after, notices };
}

/** Returns the accepted values, in the order of the form and each once. */
function readChoice(name: ChoiceName, values: readonly string[], notices: string[]): string[] {
  const synonyms = SYNONYMS[name] ?? {};
  const accepted: readonly string[] = CHOICES[name];
  const chosen = new Set(
    values.flatMap((value) => Object.hasOwn(synonyms, value) ? synonyms[value]! : [value]),
  );
  if ([...chosen].some((value) => !accepted.includes(value))) {
    notices.push(invalidValue(name, [...Object.keys(synonyms), ...accepted].join(", ")));
  }
  return accepted.filter((value) => chosen.has(value));
}

function invalidValue(name: string, accepts: string): string {
  return `The value of ${name} in the address is invalid and ignored. Accepted values: ${accepts}.`;
}

function readSort(parameters: URLSearchParams, notices: string[]): Sort {
  const sort = parameters.get("sort") || "due";
  if (Object.hasOwn(SORTS, sort)) return sort as Sort;
  const accepted = Object.keys(SORTS).join(", ");
  notices.push(`The sort order in the address is invalid and ignored. Accepted values: ${accepted}.`);
  return "due";
}

/** @param now time that decides which requests are overdue or at risk */
export function toRequestFilter(filters: FilterValues, now: Date): RequestFilter {
  const {
    type,
    status,
    outcome,
    due,
    held,
    proposed,
    download,
    undelivered,
    identity,
    stuck,
    waiting,
    customer,
    receivedFrom,
    receivedTo,
    dueFrom,
    dueTo,
  } = filters;
  return {
    types: type,
    statuses: status,
    outcomes: outcome,
    overdue: due === "overdue" ? true : undefined,
    dueUntil: due === "at_risk" ? atRiskUntil(now) : undefined,
    held: held && true,
    proposed: proposed && true,
    waitsForDownload: download && true,
    undelivered: undelivered && true,
    unidentified: identity && true,
    stuck: stuck && true,
    waitingFor: waiting,
    customerId: customer,
    receivedFrom: startOf(receivedFrom),
    receivedBefore: endOf(receivedTo),
    dueFrom: startOf(dueFrom),
    dueBefore: endOf(dueTo),
  };
}

const startOf = (day: string | undefined) => day === undefined ? undefined : new Date(`${day}T00:00:00Z`);
const endOf = (day: string | undefined) =>
  day === undefined ? undefined : addMilliseconds(startOf(day)!, 24 * 60 * 60_000);

/** Requests due before this time, and not overdue, are at risk. */
export function atRiskUntil(now: Date): Date {
  return addMilliseconds(now, AT_RISK_MS);
}

/** Query string of the overview, with its question mark; empty for the defaults. */
export function toSearch(filters: FilterValues, sort: Sort, after?: RequestPosition): string {
  const search = new URLSearchParams();
  for (const [name, values] of Object.entries(filters)) {
    for (const value of [values ?? []].flat()) search.append(name, value);
  }
  if (sort !== "due") search.set("sort", sort);
  if (after) search.set("after", writeCursor(sort, after));
  return search.size === 0 ? "" : `?${search}`;
}

const BASE64 = { alphabet: "base64url", omitPadding: true } as const;
/** Cursor: sort order, and whether the last request is completed, its time in milliseconds and its ID. */
const Position = z.tuple([z.string(), z.boolean(), z.int().min(0).max(Date.UTC(9999, 0)), uuid]);

function writeCursor(sort: Sort, { at, requestId, completed = false }: RequestPosition): string {
  const position = [sort, completed, at.getTime(), requestId];
  return new TextEncoder().encode(JSON.stringify(position)).toBase64(BASE64);
}

function readCursor(sort: Sort, cursor: string | undefined): RequestPosition | undefined {
  if (cursor === undefined) return undefined;
  try {
    const bytes = Uint8Array.fromBase64(cursor, { alphabet: "base64url" });
    const [of, completed, at, requestId] = Position.parse(JSON.parse(new TextDecoder().decode(bytes)));
    return of === sort ? { at: new Date(at), requestId, completed } : undefined;
  } catch {
    return undefined;
  }
}
