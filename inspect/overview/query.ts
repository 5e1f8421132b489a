/** What the address of the overview asks for: which requests, in which order, from where on. */
import { z } from "zod";
import { AT_RISK_MS } from "../../actors/gdpr/machines/events.ts";
import { RIGHTS } from "../../actors/gdpr/types.ts";
import { text, uuid } from "../../domain/input.ts";
import type { RequestFilter, RequestOrder, RequestPosition } from "../../db/gdpr_search.ts";
import { later } from "../../lib/dates.ts";

export const STATUSES = ["PENDING", "IN_PROGRESS", "COMPLETED"] as const;
export const OUTCOMES = ["FULFILLED", "REFUSED", "CANCELLED"] as const;

/** Each filter by its name in the address, and what it takes there. */
const FILTERS = {
  type: { schema: z.enum(RIGHTS), takes: RIGHTS.join(", ") },
  status: { schema: z.enum(["OPEN", ...STATUSES]), takes: ["OPEN", ...STATUSES].join(", ") },
  outcome: { schema: z.enum(OUTCOMES), takes: OUTCOMES.join(", ") },
  due: { schema: z.enum(["overdue", "at_risk"]), takes: "overdue, at_risk" },
  held: { schema: z.literal("yes"), takes: "yes" },
  stuck: { schema: z.literal("yes"), takes: "yes" },
  waiting: { schema: text(100), takes: "the name of a service" },
  customer: { schema: uuid, takes: "the id of a customer" },
};
type Filters = typeof FILTERS;

/** What else an address may have. */
const OTHERS = ["sort", "after", "store"];

/** The filters that are set. */
export type Wanted = { [Name in keyof Filters]?: z.output<Filters[Name]["schema"]> | undefined };

export const SORTS = { due: "DUE", newest: "NEWEST", oldest: "OLDEST" } as const satisfies Record<
  string,
  RequestOrder
>;
export type Sort = keyof typeof SORTS;

export interface Asked {
  wanted: Wanted;
  sort: Sort;
  after: RequestPosition | undefined;
  /** What of the address could not be taken, in sentences without its values. */
  notices: string[];
}

/** Names of the address that the page does not know and that it lists. */
const NAMED = 5;

/** Whatever it cannot read it leaves out, and says so. */
export function readQuery(query: URLSearchParams): Asked {
  const notices: string[] = [];
  const taken: Record<string, string> = {};
  let unknown = 0;
  for (const [name, given] of Map.groupBy(query, ([name]) => name)) {
    const [value = "", another] = given.map(([, value]) => value).filter((value) => value.trim() !== "");
    const isOther = OTHERS.includes(name);
    const isFilter = Object.hasOwn(FILTERS, name);
    if (another !== undefined && (isFilter || isOther)) {
      notices.push(`The address has ${name} more than once; the first one counts.`);
    }
    if (isOther || value === "") continue;
    if (!isFilter) {
      const known = /^[\w-]{1,30}$/.test(name) ? name : "something";
      if (++unknown <= NAMED) {
        notices.push(`The address has ${known}, which this page does not know. It is left out.`);
      }
      continue;
    }
    const { schema, takes } = FILTERS[name as keyof Wanted];
    const { data } = schema.safeParse(value);
    if (data === undefined) {
      notices.push(
        `The address has a value for ${name} that cannot be read, so it is left out. It takes: ${takes}.`,
      );
    } else taken[name] = data;
  }
  const sort = query.get("sort") || "due";
  const known = Object.hasOwn(SORTS, sort) ? sort as Sort : "due";
  if (known !== sort) {
    notices.push(`The address has an order that cannot be read. It takes: ${Object.keys(SORTS).join(", ")}.`);
  }
  const cursor = query.get("after") || undefined;
  const after = readCursor(known, cursor);
  if (cursor !== undefined && !after) {
    notices.push("The address names a page that is none of this list. This is the first one.");
  }
  return { wanted: taken as Wanted, sort: known, after, notices };
}

/** @param now decides what is overdue and at risk */
export function filterOf(wanted: Wanted, now: Date): RequestFilter {
  const { type, status, outcome, due, held, stuck, waiting, customer } = wanted;
  return {
    types: type && [type],
    statuses: status && (status === "OPEN" ? ["PENDING", "IN_PROGRESS"] : [status]),
    outcomes: outcome && [outcome],
    overdue: due === "overdue" ? true : undefined,
    dueUntil: due === "at_risk" ? atRiskUntil(now) : undefined,
    held: held && true,
    stuck: stuck && true,
    waitingFor: waiting,
    customerId: customer,
  };
}

/** What is due by then, and not overdue, is at risk. */
export function atRiskUntil(now: Date): Date {
  return later(now, AT_RISK_MS);
}

/** The part of an address behind its question mark; empty for the overview as it opens. */
export function searchOf(wanted: Wanted, sort: Sort, after?: RequestPosition): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(wanted)) if (value !== undefined) search.set(name, value);
  if (sort !== "due") search.set("sort", sort);
  if (after) search.set("after", writeCursor(sort, after));
  return search.size === 0 ? "" : `?${search}`;
}

const BASE64 = { alphabet: "base64url", omitPadding: true } as const;
/** The order that it is of, whether the last request before it is completed, its instant and its id. */
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
