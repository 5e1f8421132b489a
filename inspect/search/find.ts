/** Finds the persons and requests that match the text in the search box. */
import { type FoundRequest, searchRequests } from "../../db/gdpr_search.ts";
import { SEARCH_LIMIT_MS, searchCustomers } from "../../db/customer_search.ts";
import { isTimedOut } from "../../db/errors.ts";
import {
  findCustomersByPhone,
  findPersons,
  findPersonsByEmailHash,
  findRequestsByLastDigits,
  type PersonRow,
} from "../../db/person_search.ts";
import type { ReadSql, StoreReader } from "../../db/store_reader.ts";
import { DomainError } from "../../domain/errors.ts";
import type { Interpretation } from "./interpret.ts";

/** Maximum number of persons on the page. */
export const PERSONS = 20;
/** Maximum number of requests on the page. */
export const REQUESTS = 50;

/** Field that matched the text. */
export type Match = "email" | "earlier email" | "name" | "phone" | "ID" | "request ID";

export interface FoundPerson extends PersonRow {
  matches: Match[];
}

export interface Findings {
  persons: FoundPerson[];
  /** Requests about these persons, newest first. */
  requests: FoundRequest[];
  /** Whether more persons match than the page shows. */
  hasMorePersons: boolean;
  hasMoreRequests: boolean;
}

export interface Search {
  storeId: string;
  interpretation: Interpretation;
  /** Whether names match by their beginning, and not only as a whole. */
  mayUsePrefixes: boolean;
  now: Date;
}

/** Matches of each person, by the ID, in the order of their discovery. */
type Matches = Map<string, Set<Match>>;

/**
 * @param hashEmail keyed hashes of an email, which find guests and erased persons
 * @throws {DomainError} UNAVAILABLE: the search takes too long
 */
export async function find(
  { reader, hashEmail }: { reader: StoreReader; hashEmail(email: string): Uint8Array[] },
  search: Search,
): Promise<Findings> {
  const { storeId, interpretation, now } = search;
  const matches: Matches = new Map();
  await addCustomers(reader, search, matches);
  return await reader.read(storeId, async (sql) => {
    const requestIds = await addByIds(sql, search, matches);
    const { email, phone } = interpretation;
    if (email !== undefined) {
      for (const id of await findPersonsByEmailHash(sql, storeId, hashEmail(email), PERSONS + 1)) {
        if (!matches.has(id)) add(matches, id, "earlier email");
      }
    }
    if (phone !== undefined) {
      for (const id of await findCustomersByPhone(sql, storeId, phone, PERSONS + 1)) {
        add(matches, id, "phone");
      }
    }
    const known = await findPersons(sql, storeId, [...matches.keys()].slice(0, PERSONS));
    const persons = [...matches].flatMap(([customerId, found]) => {
      const person = known.find((person) => person.customerId === customerId);
      return person ? [{ ...person, matches: [...found].map((match) => currentMatch(match, person)) }] : [];
    });
    const customerIds = persons.map(({ customerId }) => customerId);
    const filter = requestIds ? { requestIds } : { customerIds };
    const requests = customerIds.length === 0
      ? []
      : await searchRequests(sql, { storeId, filter, now }, { order: "NEWEST", limit: REQUESTS + 1 });
    return {
      persons,
      requests: requests.slice(0, REQUESTS),
      hasMorePersons: matches.size > PERSONS,
      hasMoreRequests: requests.length > REQUESTS,
    };
  });
}

/** The email of a guest or an erased person is not stored, so a hash of it is a match of the email itself. */
function currentMatch(match: Match, { status, erasedAt }: PersonRow): Match {
  return match === "earlier email" && (status === null || erasedAt !== null) ? "email" : match;
}

function add(matches: Matches, customerId: string, match: Match): void {
  const known = matches.get(customerId);
  if (known) known.add(match);
  else matches.set(customerId, new Set([match]));
}

async function addCustomers(
  reader: StoreReader,
  { storeId, interpretation: { email, emailPrefix, name }, mayUsePrefixes }: Search,
  matches: Matches,
): Promise<void> {
  const page = { limit: PERSONS + 1 };
  try {
    if (email !== undefined || emailPrefix !== undefined) {
      const filter = emailPrefix === undefined ? { email } : { emailPrefix };
      const found = await searchCustomers(reader, storeId, filter, page);
      for (const { customerId } of found) add(matches, customerId, "email");
    }
    if (name !== undefined) {
      const filter = mayUsePrefixes ? { namePrefix: name } : { name };
      const found = await searchCustomers(reader, storeId, filter, page);
      for (const { customerId } of found) add(matches, customerId, "name");
    }
  } catch (cause) {
    if (!isTimedOut(cause)) throw cause;
    throw new DomainError(
      "UNAVAILABLE",
      `Cannot search within ${SEARCH_LIMIT_MS / 1_000} seconds: enter more of the name or of the email`,
      { cause },
    );
  }
}

/** @returns IDs of the requests that match by their own ID; undefined if a person matches by something else */
async function addByIds(
  sql: ReadSql,
  { storeId, interpretation: { id, digits = id }, now }: Search,
  matches: Matches,
): Promise<string[] | undefined> {
  if (digits === undefined) return undefined;
  const found = id === undefined
    ? await findRequestsByLastDigits(sql, digits, REQUESTS)
    : await searchRequests(sql, { storeId, filter: { requestIds: [id] }, now }, {
      order: "NEWEST",
      limit: 1,
    });
  const own = found.filter(({ requestId }) => requestId.endsWith(digits));
  if (id !== undefined && own.length === 0) add(matches, id, "ID");
  for (const { customerId } of found) if (customerId.endsWith(digits)) add(matches, customerId, "ID");
  for (const { customerId } of own) add(matches, customerId, "request ID");
  const isRequestAlone = [...matches.values()].every((fields) =>
    fields.has("request ID") && fields.size === 1
  );
  return isRequestAlone ? own.map(({ requestId }) => requestId) : undefined;
}
