/** Finds the persons and requests that match the text in the search box. */
import { type FoundRequest, searchRequests } from "../../db/gdpr_search.ts";
import {
  findPersons,
  findPersonsByEmailHash,
  findRequestsByLastDigits,
  type PersonRow,
} from "../../db/person_search.ts";
import type { ReadSql, StoreReader } from "../../db/store_reader.ts";
import { filtersOf, type Match, type NamedFilter, search } from "./customers.ts";
import type { Interpretation } from "./interpret.ts";

/** Maximum number of persons on the page. */
export const PERSONS = 20;
/** Maximum number of requests on the page. */
export const REQUESTS = 50;

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
  /** Whether names match by their beginning, or by similarity, and not only as a whole. */
  mayUsePrefixes: boolean;
  /** Whether requests are found, and persons without an account, of whom only requests know. */
  mayReadRequests: boolean;
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
  options: Search,
): Promise<Findings> {
  const { storeId, interpretation: { email }, mayReadRequests, now } = options;
  const matches: Matches = new Map();
  await addCustomers(reader, options, matches);
  return await reader.read(storeId, async (sql) => {
    const requestIds = await addByIds(sql, options, matches);
    if (email !== undefined && mayReadRequests) {
      for (const id of await findPersonsByEmailHash(sql, storeId, hashEmail(email), PERSONS + 1)) {
        if (!matches.has(id)) add(matches, id, "earlier email");
      }
    }
    const known = (await findPersons(sql, storeId, [...matches.keys()].slice(0, PERSONS)))
      .filter(({ status }) => status !== null || mayReadRequests);
    const persons = [...matches].flatMap(([customerId, found]) => {
      const person = known.find((person) => person.customerId === customerId);
      return person ? [{ ...person, matches: [...found].map((match) => currentMatch(match, person)) }] : [];
    });
    const customerIds = persons.map(({ customerId }) => customerId);
    const filter = requestIds ? { requestIds } : { customerIds };
    const requests = customerIds.length === 0 || !mayReadRequests
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
  { storeId, interpretation, mayUsePrefixes }: Search,
  matches: Matches,
): Promise<void> {
  const { id: _, ...values } = interpretation;
  const [exact, similar] = filtersOf(values, mayUsePrefixes);
  const addMatches = async (filters: readonly NamedFilter[]) => {
    for (const { match, filter } of filters) {
      for (const { customerId } of await search(reader, storeId, filter, { limit: PERSONS + 1 })) {
        add(matches, customerId, match);
      }
    }
  };
  await addMatches(exact);
  if (matches.size === 0) await addMatches(similar);
}

/** @returns IDs of the requests that match by their own ID; undefined if a person matches by something else */
async function addByIds(
  sql: ReadSql,
  { storeId, interpretation: { id, digits = id }, mayReadRequests, now }: Search,
  matches: Matches,
): Promise<string[] | undefined> {
  if (!mayReadRequests && id !== undefined) add(matches, id, "ID");
  if (digits === undefined || !mayReadRequests) return undefined;
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
