/** Searches customers by the interpretations of a text: the filters of each, and what they match. */
import {
  type CustomerFilter,
  type CustomerPage,
  type FoundCustomer,
  SEARCH_LIMIT_MS,
  searchCustomers,
} from "../../db/customer_search.ts";
import { isTimedOut } from "../../db/errors.ts";
import { similarNames } from "../../db/similar_names.ts";
import type { StoreReader } from "../../db/store_reader.ts";
import { DomainError } from "../../domain/errors.ts";
import type { Interpretation } from "./interpret.ts";

/** Field that matched the text. */
export type Match = "email" | "earlier email" | "name" | "similar name" | "phone" | "ID" | "request ID";

export interface NamedFilter {
  match: Match;
  filter: CustomerFilter;
}

/**
 * Returns the filters of a text, and those to try if they match no customer.
 *
 * @param mayUsePrefixes whether names match by their beginning, or by similarity, and not only as a whole
 */
export function filtersOf(
  { id, email, emailPrefix, phone, name }: Interpretation,
  mayUsePrefixes: boolean,
): [exact: NamedFilter[], similar: NamedFilter[]] {
  const exact: NamedFilter[] = [];
  if (id !== undefined) exact.push({ match: "ID", filter: { customerId: id } });
  if (phone !== undefined) exact.push({ match: "phone", filter: { phone } });
  if (name !== undefined) {
    exact.push({ match: "name", filter: mayUsePrefixes ? { namePrefix: name } : { name } });
  }
  if (emailPrefix !== undefined) exact.push({ match: "email", filter: { emailPrefix } });
  else if (email !== undefined) exact.push({ match: "email", filter: { email } });
  const similarName = name !== undefined && mayUsePrefixes ? similarNames(name) : undefined;
  return [exact, similarName ? [{ match: "similar name", filter: { similarName } }] : []];
}

/** @throws {DomainError} UNAVAILABLE: the search takes too long */
export async function search(
  reader: StoreReader,
  storeId: string,
  filter: CustomerFilter,
  page: CustomerPage,
): Promise<FoundCustomer[]> {
  try {
    return await searchCustomers(reader, storeId, filter, page);
  } catch (cause) {
    if (!isTimedOut(cause)) throw cause;
    throw new DomainError(
      "UNAVAILABLE",
      `Cannot search within ${SEARCH_LIMIT_MS / 1_000} seconds: enter more of the name or of the email`,
      { cause },
    );
  }
}
