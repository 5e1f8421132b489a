/** Searches the customers of a store, a page at a time. */
import type { Customer } from "./lookups.ts";
import type { StoreReader } from "./store_reader.ts";

/** A customer in a list: the row, without what hangs on it. */
export type FoundCustomer = Omit<Customer, "storeId" | "addresses" | "groups">;

/** What a customer has to be; whatever is absent does not matter. Letters fit in either case. */
export interface CustomerFilter {
  email?: string | undefined;
  emailPrefix?: string | undefined;
  /** The beginning of the first or the last name, or of both, in either order: "grace ho". */
  namePrefix?: string | undefined;
  status?: Customer["status"] | undefined;
  groupId?: string | undefined;
  createdFrom?: Date | undefined;
  /** The first moment that is too late. */
  createdTo?: Date | undefined;
  anonymized?: boolean | undefined;
}

export interface CustomerPage {
  limit: number;
  /** The last customer of the page before. */
  after?: string | undefined;
}

/** How long PostgreSQL looks for a page before it gives up, so that nobody else waits for the connection. */
export const SEARCH_LIMIT_MS = 4_000;

/**
 * The next customers: the newest first, but a group's by id, the greatest first. Whoever is added meanwhile neither
 * moves the others on nor brings any of them back.
 *
 * @throws the driver's error; `isTimedOut` tells the one that says that it takes too long
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

/** The filter as the function of the database takes it. */
function conditionsOf({ emailPrefix, namePrefix, createdFrom, createdTo, ...rest }: CustomerFilter) {
  const filter = {
    ...rest,
    emailPattern: emailPrefix === undefined ? undefined : beginning(emailPrefix),
    names: namePrefix === undefined ? undefined : namePatterns(namePrefix),
    createdFrom: createdFrom?.getTime(),
    createdTo: createdTo?.getTime(),
  };
  return Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined)) as Record<
    string,
    NonNullable<(typeof filter)[keyof typeof filter]>
  >;
}

/**
 * The pairs of patterns of a first and a last name, one of which has to fit. Where one name ends and the other begins
 * nobody says, so every place between two words is tried.
 */
function namePatterns(prefix: string): [first: string | null, last: string | null][] {
  const words = prefix.trim().split(/\s+/u);
  const whole = beginning(words.join(" "));
  const pairs: [string | null, string | null][] = [[whole, null], [null, whole]];
  for (let at = 1; at < words.length; at++) {
    const [one, other] = [words.slice(0, at), words.slice(at)].map((part) => beginning(part.join(" ")));
    pairs.push([one!, other!], [other!, one!]);
  }
  return pairs;
}

/** A pattern of LIKE for what begins like this. */
function beginning(text: string): string {
  return `${text.replace(/[\\%_]/g, "\\$&")}%`;
}
