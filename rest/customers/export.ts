/** `GET /customers/export`: all customers of a filter as JSON lines, as fast as they are read. */
import type { CustomerFilter } from "../../db/customer_search.ts";
import type { StoreReader } from "../../db/store_reader.ts";
import { PACE, pacedDownload } from "../../http/pace.ts";
import type { ConcurrencyQuota } from "../../http/concurrency_quota.ts";
import { allow, type Api, createRoute, refusals } from "../api.ts";
import { ending, errorLine, JSON_LINES, jsonLines, lineOf } from "../json_lines.ts";
import type { RestOptions } from "../options.ts";
import { openStream } from "../streams.ts";
import { bodyOf, CustomerSchema } from "./customer.ts";
import { filterOf, filterQuery } from "./filter.ts";
import { readCustomers } from "./search.ts";

/** Customers read at a time: what is held of an export, however large it is. */
const PAGE = 500;

const exportRoute = createRoute({
  operationId: "exportCustomers",
  method: "get",
  path: "/customers/export",
  summary: "Exports customers as JSON lines",
  description:
    "In the order and with the filters of `GET /customers`. It is read in pages, each of its own " +
    "moment: whoever is registered meanwhile is not part of it, and a change shows where its page is read " +
    "later. A line that holds an `error` is the last one, and says that the export is not whole.",
  tags: ["Bulk"],
  middleware: allow("export customers", "CUSTOMER_MANAGER"),
  request: { query: filterQuery },
  responses: {
    200: jsonLines("One customer a line", CustomerSchema),
    ...refusals(),
  },
});

export function addExportRoutes(
  api: Api,
  { reader, closing, streams }: Pick<RestOptions, "reader" | "closing"> & { streams?: ConcurrencyQuota },
  { stallMs = PACE.stallMs } = {},
): void {
  api.openapi(exportRoute, async (c) => {
    const leave = openStream(c, streams);
    const pages = readPages(reader, c.var.by.storeId, filterOf(c.req.valid("query")), closing);
    // What fails before anything is sent has a status of its own.
    const first = await pages.next().catch((error) => {
      leave();
      throw error;
    });
    const answer = pacedDownload(streamOf(first, pages), { stallMs, onEnd: leave });
    return c.body(answer, 200, { "content-type": JSON_LINES });
  });
}

async function* readPages(
  reader: StoreReader,
  storeId: string,
  filter: CustomerFilter,
  closing: AbortSignal,
): AsyncGenerator<string> {
  let after: string | undefined;
  for (;;) {
    const rows = await readCustomers(reader, storeId, filter, { limit: PAGE, after });
    after = rows.at(-1)?.customerId;
    if (rows.length > 0) yield rows.map((row) => lineOf(bodyOf(row))).join("");
    if (rows.length < PAGE) return;
    if (closing.aborted) throw ending();
  }
}

/** Reads the next page when somebody wants it: between pages no transaction is open and nothing is held. */
function streamOf(
  first: IteratorResult<string, void>,
  pages: AsyncGenerator<string>,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const encoder = new TextEncoder();
  let next: IteratorResult<string, void> | undefined = first;
  return new ReadableStream({
    async pull(controller) {
      try {
        const { done, value } = next ?? await pages.next();
        next = undefined;
        if (done) controller.close();
        else controller.enqueue(encoder.encode(value));
      } catch (error) {
        controller.enqueue(encoder.encode(errorLine(error)));
        controller.close();
      }
    },
    async cancel() {
      await pages.return(undefined);
    },
  }, { highWaterMark: 0 });
}
