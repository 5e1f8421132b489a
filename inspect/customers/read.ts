/** Reads a page of the list of customers, by filters and by the text of the search. */
import type { FoundCustomer } from "../../db/customer_search.ts";
import { searchShopperGroups, type ShopperGroup } from "../../db/shopper_groups.ts";
import type { StoreReader } from "../../db/store_reader.ts";
import { filtersOf, type Match, type NamedFilter, search } from "../search/customers.ts";
import { interpret } from "../search/interpret.ts";
import { type CustomersQuery, toFilter } from "./query.ts";

const PAGE = 50;
/** Maximum number of groups to choose from. */
const GROUPS = 500;

export interface CustomerList {
  customers: FoundCustomer[];
  /** Last customer of the page; undefined if there is no next page. */
  next: string | undefined;
  /** What the text matches; undefined without a text, or if it matches nothing. */
  match?: Match;
}

/** Reads the customers that match the filters. */
export async function listCustomers(
  reader: StoreReader,
  storeId: string,
  query: CustomersQuery,
): Promise<CustomerList> {
  return await readPage(reader, storeId, query, {});
}

/**
 * Reads the customers that match the filters and the text: as the first of its interpretations that matches one.
 *
 * @param match the interpretation of the previous page; undefined: this is the first page
 */
export async function findByText(
  reader: StoreReader,
  storeId: string,
  query: CustomersQuery,
  { text, match }: { text: string; match: string | undefined },
): Promise<CustomerList> {
  const [exact, similar] = filtersOf(interpret(text, true), true);
  const filters: readonly NamedFilter[] = [...exact, ...similar];
  for (const named of filters.filter((filter) => match === undefined || filter.match === match)) {
    const list = await readPage(reader, storeId, query, named.filter);
    if (list.customers.length > 0) return { ...list, match: named.match };
  }
  return { customers: [], next: undefined };
}

async function readPage(
  reader: StoreReader,
  storeId: string,
  query: CustomersQuery,
  filter: NamedFilter["filter"],
): Promise<CustomerList> {
  const page = { limit: PAGE + 1, after: query.after };
  const rows = await search(reader, storeId, { ...toFilter(query), ...filter }, page);
  const customers = rows.slice(0, PAGE);
  return { customers, next: rows.length > PAGE ? customers.at(-1)?.customerId : undefined };
}

export function fingerprintOf({ customers, next }: CustomerList): string {
  return JSON.stringify([
    customers.map(({ customerId, version }) => [customerId, version]),
    next !== undefined,
  ]);
}

/** Returns the groups to filter by, in the order of their names. */
export async function readGroupChoices(reader: StoreReader, storeId: string): Promise<ShopperGroup[]> {
  const groups = await reader.read(
    storeId,
    (sql) => searchShopperGroups(sql, storeId, { deleted: false }, { limit: GROUPS }),
  );
  return groups.toSorted((one, other) => one.name.localeCompare(other.name, "en"));
}
