/** Searches the customers of a store. */
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
import { allow, type Api, createRoute, json, refusals, z } from "../api.ts";
import { digest } from "../digest.ts";
import type { RestOptions } from "../options.ts";
import { pageBody, pageOf, readCursor } from "../pages.ts";
import { bodyOf, CustomerSchema } from "./customer.ts";
import { filterOf, searchQuery, SearchSchema } from "./filter.ts";

const tags = ["Customers"];
const mayRead = allow("search customers", "CUSTOMER_SUPPORT", "CUSTOMER_MANAGER");

const DESCRIPTION =
  "The newest first; the members of a group by their ids, the greatest first. All conditions " +
  "have to hold. A cursor goes with the filter that it was given for. Customers who are registered meanwhile " +
  `neither repeat nor displace anybody on later pages. A search that takes longer than ${
    SEARCH_LIMIT_MS / 1_000
  } seconds is UNAVAILABLE: more conditions, or longer beginnings, make it faster.`;

const page = {
  ...json("A page of customers", pageOf(CustomerSchema).meta({ id: "CustomerPage" })),
};

const list = createRoute({
  operationId: "listCustomers",
  method: "get",
  path: "/customers",
  summary: "Searches customers",
  description:
    `${DESCRIPTION} Emails and names in a query end up in the logs of proxies: where that matters, ` +
    "`POST /customers/search` takes the same in its body. The Link header leads to the next page where the " +
    "filter has neither, and never repeats one.",
  tags,
  middleware: mayRead,
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

const search = createRoute({
  operationId: "searchCustomers",
  method: "post",
  path: "/customers/search",
  summary: "Searches customers, without personal values in the URL",
  description: `What \`GET /customers\` does. ${DESCRIPTION}`,
  tags,
  middleware: mayRead,
  request: { body: { required: true, content: { "application/json": { schema: SearchSchema } } } },
  responses: { 200: page, ...refusals() },
});

export function addSearchRoutes(api: Api, options: RestOptions): void {
  api.openapi(list, async (c) => {
    const { limit, cursor, ...query } = c.req.valid("query");
    const body = await findPage(options, c.var.by.storeId, filterOf(query), { limit, cursor });
    const link = nextLink(new URLSearchParams(c.req.query()), body.nextCursor);
    return c.json(body, 200, link === undefined ? {} : { link });
  });

  api.openapi(search, async (c) => {
    const { limit, cursor, ...filter } = c.req.valid("json");
    return c.json(await findPage(options, c.var.by.storeId, filter, { limit, cursor }), 200);
  });
}

async function findPage(
  { reader, limits }: RestOptions,
  storeId: string,
  filter: CustomerFilter,
  { limit, cursor }: { limit: number; cursor?: string | undefined },
) {
  const mark = await markOf(limits.hashKey, storeId, filter);
  const [after] = readCursor(z.tuple([uuid, z.literal(mark)]), cursor) ?? [];
  const rows = await readCustomers(reader, storeId, filter, { limit: limit + 1, after });
  return pageBody(rows, limit, bodyOf, ({ customerId }) => [customerId, mark]);
}

/** @throws {DomainError} UNAVAILABLE when it takes too long */
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

/** Tells one filter of one store from another, and nobody what it was. */
async function markOf(hashKey: CryptoKey, storeId: string, filter: CustomerFilter): Promise<string> {
  return (await digest(hashKey, `filter ${JSON.stringify([storeId, filter])}`)).slice(0, 12);
}

const PERSONAL = ["email", "emailPrefix", "namePrefix"];

/** A link may be kept or shown anywhere, so one that needed a personal value is not made. */
function nextLink(query: URLSearchParams, cursor: string | null): string | undefined {
  if (cursor === null || PERSONAL.some((name) => query.has(name))) return undefined;
  const next = new URLSearchParams(query);
  next.set("cursor", cursor);
  return `</customers?${next}>; rel="next"`;
}
