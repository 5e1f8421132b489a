/** Search of the customers of a store. */
import { DomainError } from "../../domain/errors.ts";
import { uuid } from "../../domain/input.ts";
import {
  type CustomerFilter,
  type CustomerPage,
  type FoundCustomer,
  SEARCH_LIMIT_MS,
  searchCustomers,
} from "../../db/customer_search.ts";
import { isTimedOut } from "../../db/errors.ts";
import type { StoreReader } from "../../db/store_reader.ts";
import { allow, answeredOf } from "../access.ts";
import { type Api, createRoute, json, refusals, z } from "../api.ts";
import { keyedHash } from "../keyed_hash.ts";
import type { RestOptions } from "../options.ts";
import { pageBody, pageOf, readCursor } from "../pagination.ts";
import { bodyOf, CustomerSchema } from "./customer.ts";
import { filterOf, searchQuery, SearchSchema } from "./filter.ts";

const tags = ["Customers"];

const DESCRIPTION =
  "Customers are listed newest first, the members of a group by descending ID. They match all conditions. A cursor is " +
  "valid only with its filter. Customers who are registered meanwhile neither repeat nor displace customers on later " +
  `pages. A search that takes longer than ${
    SEARCH_LIMIT_MS / 1_000
  } seconds is UNAVAILABLE: add conditions, or ` +
  "make the prefixes longer.";

const page = {
  ...json("A page of customers", pageOf(CustomerSchema).meta({ id: "CustomerPage" })),
};

const listCustomers = createRoute({
  operationId: "listCustomers",
  method: "get",
  path: "/customers",
  summary: "Searches customers",
  description: `${DESCRIPTION} Proxies may log emails and names that are in a URL: to avoid that, use ` +
    "`POST /customers/search`, which accepts the same filter in its body. The Link header has the URL of the next page, " +
    "unless the filter has an email or a name.",
  tags,
  middleware: allow("listCustomers"),
  request: { query: searchQuery },
  responses: {
    200: {
      ...page,
      headers: z.object({
        link: z.string().optional().meta({ description: 'The next page, `rel="next"`' }),
      }),
    },
    ...refusals(),
  },
});

const searchCustomersRoute = createRoute({
  operationId: "searchCustomers",
  method: "post",
  path: "/customers/search",
  summary: "Searches customers, without personal values in the URL",
  description: `Like \`GET /customers\`, with the filter in the body. ${DESCRIPTION}`,
  tags,
  middleware: allow("searchCustomers"),
  request: { body: { required: true, content: { "application/json": { schema: SearchSchema } } } },
  responses: { 200: page, ...refusals() },
});

export function addSearchRoutes(api: Api, options: RestOptions): void {
  api.openapi(listCustomers, async (c) => {
    const { limit, cursor, ...query } = c.req.valid("query");
    const body = await findPage(options, c.var.by.storeId, filterOf(query), { limit, cursor });
    c.set("answered", answeredOf(body.items));
    const link = nextLink(new URLSearchParams(c.req.query()), body.nextCursor);
    return c.json(body, 200, link === undefined ? {} : { link });
  });

  api.openapi(searchCustomersRoute, async (c) => {
    const { limit, cursor, ...filter } = c.req.valid("json");
    const body = await findPage(options, c.var.by.storeId, filter, { limit, cursor });
    c.set("answered", answeredOf(body.items));
    return c.json(body, 200);
  });
}

async function findPage(
  { reader, limits }: RestOptions,
  storeId: string,
  filter: CustomerFilter,
  { limit, cursor }: { limit: number; cursor?: string | undefined },
) {
  const mark = await hashFilter(limits.hashKey, storeId, filter);
  const [after] = readCursor(z.tuple([uuid, z.literal(mark)]), cursor) ?? [];
  const rows = await readCustomers(reader, storeId, filter, { limit: limit + 1, after });
  return pageBody(rows, limit, bodyOf, ({ customerId }) => [customerId, mark]);
}

/** @throws {DomainError} UNAVAILABLE if the search takes too long */
export async function readCustomers(
  reader: StoreReader,
  storeId: string,
  filter: CustomerFilter,
  page: CustomerPage,
): Promise<FoundCustomer[]> {
  try {
    return await searchCustomers(reader, storeId, filter, page);
  } catch (cause) {
    if (!isTimedOut(cause)) throw cause;
    const seconds = SEARCH_LIMIT_MS / 1_000;
    const message = `Cannot search customers within ${seconds} seconds: narrow the filter`;
    throw new DomainError("UNAVAILABLE", message, { cause });
  }
}

/** Returns a keyed hash of a store's filter, so that a cursor identifies its filter without revealing it. */
async function hashFilter(hashKey: CryptoKey, storeId: string, filter: CustomerFilter): Promise<string> {
  return (await keyedHash(hashKey, `filter ${JSON.stringify([storeId, filter])}`)).slice(0, 12);
}

const PERSONAL = ["email", "emailPrefix", "namePrefix"];

/** Returns the Link header; undefined if the URL would have a personal value, because links are stored and logged. */
function nextLink(query: URLSearchParams, cursor: string | null): string | undefined {
  if (cursor === null || PERSONAL.some((name) => query.has(name))) return undefined;
  const next = new URLSearchParams(query);
  next.set("cursor", cursor);
  return `</customers?${next}>; rel="next"`;
}
