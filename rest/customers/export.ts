/** `GET /customers/export`: streams all customers that match a filter as JSON Lines, with back-pressure. */
import type { CustomerFilter } from "../../db/customer_search.ts";
import type { StoreReader } from "../../db/store_reader.ts";
import { PACE, pacedDownload } from "../../http/pace.ts";
import type { ConcurrencyQuota } from "../../http/concurrency_quota.ts";
import { allow } from "../access.ts";
import { type Api, type ApiEnv, createRoute, refusals } from "../api.ts";
import { errorLine, JSON_LINES, jsonLines, lineOf, shutdownError } from "../json_lines.ts";
import type { RestOptions } from "../options.ts";
import { openStream } from "../stream_quota.ts";
import { bodyOf, CustomerSchema } from "./customer.ts";
import { filterOf, filterQuery } from "./filter.ts";
import { readCustomers } from "./search.ts";

/** Number of customers that are read at a time, which bounds the memory of an export. */
const PAGE = 500;

const exportRoute = createRoute({
  operationId: "exportCustomers",
  method: "get",
  path: "/customers/export",
  summary: "Exports customers as JSON Lines",
  description:
    "The order and the filters are those of `GET /customers`. The export is read in pages at different times: it does " +
    "not include customers who are registered meanwhile, and includes a change if its page is read after the change. " +
    "The last line of an incomplete export has only an `error`.",
  tags: ["Bulk"],
  middleware: allow("exportCustomers"),
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
    const release = openStream(c, streams);
    const pages = readPages(reader, filterOf(c.req.valid("query")), c.var, closing);
    // An error before the first line is reported by the status.
    const first = await pages.next().catch((error) => {
      release();
      throw error;
    });
    const stream = pacedDownload(streamOf(first, pages), { stallMs, onEnd: release });
    return c.body(stream, 200, { "content-type": JSON_LINES });
  });
}

/** Reads pages, and records each as an access before it is sent. */
async function* readPages(
  reader: StoreReader,
  filter: CustomerFilter,
  { by, traceparent, access: { audit } }: Pick<ApiEnv["Variables"], "by" | "traceparent" | "access">,
  closing: AbortSignal,
): AsyncGenerator<string> {
  const access = { by, action: "CUSTOMERS_EXPORTED", operation: "exportCustomers", traceparent } as const;
  let after: string | undefined;
  for (;;) {
    const rows = await readCustomers(reader, by.storeId, filter, { limit: PAGE, after });
    await audit.record({ ...access, rows: rows.length });
    after = rows.at(-1)?.customerId;
    if (rows.length > 0) yield rows.map((row) => lineOf(bodyOf(row))).join("");
    if (rows.length < PAGE) return;
    if (closing.aborted) throw shutdownError();
  }
}

/** Reads the next page when the client requests more data. Between pages no transaction is open. */
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
