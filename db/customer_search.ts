/** Search over the customers of a store, one page at a time. */
import type { Customer } from "./lookups.ts";
import type { StoreReader } from "./store_reader.ts";
import { escapeLike, type SimilarName } from "./similar_names.ts";

/** Customer of a list: the row, without its related rows. */
export type FoundCustomer = Omit<Customer, "storeId" | "addresses" | "groups">;

/** Filter; an absent field matches every customer. Text matches in any case. */
export interface CustomerFilter {
  customerId?: string | undefined;
  /** In E.164. */
  phone?: string | undefined;
  email?: string | undefined;
  emailPrefix?: string | undefined;
  /** Prefix of the first or the last name, or of both, in either order: "grace ho". */
  namePrefix?: string | undefined;
  /** Whole first or last name, or both, in either order. */
  name?: string | undefined;
  /** Names that differ from a text by one mistake. */
  similarName?: SimilarName | undefined;
  status?: Customer["status"] | undefined;
  groupId?: string | undefined;
  createdFrom?: Date | undefined;
  /** Exclusive upper bound. */
  createdTo?: Date | undefined;
  updatedFrom?: Date | undefined;
  /** Exclusive upper bound. */
  updatedTo?: Date | undefined;
  anonymized?: boolean | undefined;
}

export interface CustomerPage {
  limit: number;
  /** Last customer of the previous page. */
  after?: string | undefined;
}

/** Timeout of a search, so that one search does not block the connection for other callers. */
export const SEARCH_LIMIT_MS = 4_000;

/**
 * Returns the next customers: the newest first, but a group's by ID in descending order. A customer that is
 * added meanwhile neither moves the others nor repeats one of them.
 *
 * @throws the driver's error; `isTimedOut` recognizes the timeout
 */
export async function searchCustomers(
  reader: StoreReader,
  storeId: string,
  filter: CustomerFilter,
  { limit, after }: CustomerPage,
): Promise<FoundCustomer[]> {
  return await reader.read(storeId, async (sql) => {
    const [, rows] = await Promise.all([
      sql`select set_config('statement_timeout', ${String(SEARCH_LIMIT_MS)}, true)`,
      sql<FoundCustomer[]>`
        select * from search_customers(${sql.json(conditionsOf(filter))}, ${after ?? null}, ${limit})`,
    ]);
    return rows;
  });
}

/** Converts the filter into the argument of the database function. */
function conditionsOf(conditions: CustomerFilter) {
  const { email, emailPrefix, createdFrom, createdTo, updatedFrom, updatedTo, ...others } = conditions;
  const { name, namePrefix, similarName, ...rest } = others;
  const filter = {
    ...rest,
    // In lower case here: that of the database depends on its collation.
    email: email?.toLowerCase(),
    emailPattern: emailPrefix === undefined ? undefined : beginning(emailPrefix.toLowerCase()),
    names: namePrefix !== undefined
      ? namePatterns(namePrefix, beginning)
      : name !== undefined
      ? namePatterns(name, literal)
      : similarName?.beginnings,
    similar: similarName?.patterns,
    similarBoth: similarName?.hasSpace || undefined,
    createdFrom: createdFrom?.getTime(),
    createdTo: createdTo?.getTime(),
    updatedFrom: updatedFrom?.getTime(),
    updatedTo: updatedTo?.getTime(),
  };
  return Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined)) as Record<
    string,
    NonNullable<(typeof filter)[keyof typeof filter]>
  >;
}

/**
 * Pairs of patterns for a first and a last name, one of which has to match. The query does not say where one
 * name ends and the other begins, so every split between two words is tried.
 */
function namePatterns(
  name: string,
  pattern: (text: string) => string,
): [first: string | null, last: string | null][] {
  const words = name.trim().split(/\s+/u);
  const whole = pattern(words.join(" "));
  const pairs: [string | null, string | null][] = [[whole, null], [null, whole]];
  for (let at = 1; at < words.length; at++) {
    const [one, other] = [words.slice(0, at), words.slice(at)].map((part) => pattern(part.join(" ")));
    pairs.push([one!, other!], [other!, one!]);
  }
  return pairs;
}

/** Returns a LIKE pattern for a prefix. */
const beginning = (text: string) => `${literal(text)}%`;

/** Returns a LIKE pattern for a whole text. */
const literal = escapeLike;
