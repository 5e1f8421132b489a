/** `POST /customers/bulk`: streaming upsert of customers. */
import { HTTPException } from "@hono/hono/http-exception";
import { DomainError } from "../../domain/errors.ts";
import { readStreamCoding } from "../../http/body_reader.ts";
import { inflateStream } from "../../http/content_encoding.ts";
import { PACE, pacedUpload } from "../../http/pace.ts";
import type { ConcurrencyQuota } from "../../http/concurrency_quota.ts";
import { allow, recordAccess } from "../access.ts";
import { type Api, createRoute, refusals } from "../api.ts";
import { readCharset, toUtf8 } from "../charset.ts";
import { commandContext, creationHeaders } from "../conditional_headers.ts";
import { mapInOrder, type Prepared, type Work } from "../ordered_concurrency.ts";
import { errorLine, JSON_LINES, jsonLines, lineOf, shutdownError } from "../json_lines.ts";
import { LINE_LIMIT } from "../line_splitter.ts";
import type { RestOptions } from "../options.ts";
import { createTimeSlice } from "../time_slice.ts";
import { streamResponse } from "../streaming_response.ts";
import { openStream, withoutSlot } from "../stream_quota.ts";
import { type BulkRow, BulkRowSchema, readRows, type RowFormat } from "./bulk_rows.ts";
import { type BulkResult, BulkResultSchema, createUpsert, type UpsertFacts } from "./upsert.ts";

/** Number of rows that are in progress at a time, of one file and of all files in this process. */
const ROWS_IN_PROGRESS = { ofFile: 200, total: 400 };
/** Size of the buffer of results for a client that reads nothing until it has sent the whole file. */
const MAX_UNREAD_BYTES = 16 * 1024 * 1024;
const STALL_MS = 60_000;
/** Number of refused rows after which the rest of a file is not read: the error is probably systematic. */
const REFUSED_LIMIT = 10_000;

const CSV = "text/csv";
const FORMATS = new Map<string, RowFormat>([[JSON_LINES, "json"], [CSV, "csv"]]);
const content: Record<string, { schema: typeof BulkRowSchema }> = {
  [JSON_LINES]: { schema: BulkRowSchema },
  [CSV]: { schema: BulkRowSchema },
};

const bulk = createRoute({
  operationId: "upsertCustomers",
  method: "post",
  path: "/customers/bulk",
  summary: "Registers and updates many customers",
  description:
    `Accepts one customer per line, as JSON or as CSV whose first row names the fields. A row with a \`customerId\` is about that customer, and only
a service may register a customer under an ID of its own. Any other row is about the customer with its \`email\`, which
is compared without regard to case.

A file of \`GET /customers/export\` is accepted as it is: \`status\`, \`version\`, \`registeredAt\` and \`updatedAt\`
are ignored, also when they have been changed, and the row of an erased customer is UNCHANGED. To change a customer only
at a version, use \`PATCH /customers/{customerId}\` with If-Match.

CSV is accepted as spreadsheets write it: with commas, semicolons or tabs, which the first row or a line \`sep=;\` before
it shows; with names of fields in any case, with spaces, hyphens or underscores (\`First Name\`); with columns without a
name, whose cells must be empty; and with any line ends. An empty cell leaves its field unchanged; only JSON can clear a
field. Blank rows, also those of empty cells, are ignored and not counted. A \`charset\` in the content type may be any
of the WHATWG Encoding Standard; without one, the file is UTF-8, or UTF-16 if it has a byte order mark. The body may be
compressed (\`Content-Encoding: gzip\` or \`deflate\`), up to 100 times.

The response has one line for each row, in the order of the rows, and is sent while rows are still received. A row that
cannot be applied is REFUSED with the reason; the others are applied. A row has at most ${
      LINE_LIMIT / 1024
    } KiB. Rows
about the same customer are applied one after another. After ${REFUSED_LIMIT} refused rows the response ends, and the
rest of the file is not read. The last line of an incomplete response has only an \`error\`, or is a row whose error is
UNAVAILABLE. The rows after it may have been applied or not.

With an \`Idempotency-Key\`, each row is applied once: if the same file is sent again with the key within a day, every
row gets the same result. A client should read while it sends: at most ${
      MAX_UNREAD_BYTES / 1024 ** 2
    } MiB of results
are buffered. While the service waits for it, a client has to send at least 1 KiB in ${
      STALL_MS / 1_000
    } seconds.`
      .replaceAll(/(?<!\n)\n(?!\n)/g, " "),
  tags: ["Bulk"],
  middleware: allow("upsertCustomers"),
  request: { headers: creationHeaders, body: { required: true, content } },
  responses: {
    200: jsonLines("The result of each row", BulkResultSchema),
    ...refusals(),
  },
});

export function addBulkRoutes(
  api: Api,
  options: Pick<RestOptions, "actors" | "lookups" | "reader" | "closing" | "limits"> & {
    streams?: ConcurrencyQuota;
  },
  { stallMs = STALL_MS, refusedLimit = REFUSED_LIMIT } = {},
): void {
  let files = 0;
  const rowLimit = () =>
    Math.max(2, Math.min(ROWS_IN_PROGRESS.ofFile, Math.floor(ROWS_IN_PROGRESS.total / files)));
  api.openapi(bulk, async (c) => {
    const contentType = c.req.header("content-type") ?? "";
    const format = FORMATS.get(contentType.split(";")[0]!.trim().toLowerCase());
    if (!format) {
      const message = `its content-type must be ${[...FORMATS.keys()].join(" or ")}`;
      throw new HTTPException(415, { message });
    }
    const charset = readCharset(contentType);
    const coding = readStreamCoding(c);
    const { storeId } = c.var.by;
    await recordAccess(c, "CUSTOMERS_IMPORTED"); // the results show which customers exist
    const closeStream = openStream(c, options.streams);
    files++;
    const release = () => {
      files--;
      closeStream();
    };
    const upsert = createUpsert(options, commandContext(c));
    const stop = new AbortController();
    const body: ReadableStream<Uint8Array<ArrayBuffer>> = c.req.raw.body ??
      new ReadableStream({ start: (controller) => controller.close() });
    const paced = pacedUpload(body, { ...PACE, stallMs: stallMs });
    const inflated = coding === undefined ? paced : inflateStream(paced, coding);
    const rows = readRows(toUtf8(inflated, charset), format, { stallMs, signal: stop.signal });
    // An error of the whole file, such as its header, is reported by the status.
    const first = await withoutSlot(c, () => rows.next()).catch((error) => {
      stop.abort();
      release();
      throw error;
    });
    const results = resultLines(startingWith(first, rows), {
      prepare: (row) => prepare(row, (email) => options.lookups.findCustomerId({ storeId, email })),
      work: upsert,
    }, { stop, closing: options.closing, release, rowLimit, refusedLimit });
    const onDisconnect = () => stop.abort();
    const stream = streamResponse(results, { maxUnreadBytes: MAX_UNREAD_BYTES, stallMs, onDisconnect });
    return c.body(stream, 200, { "content-type": JSON_LINES });
  });
}

interface ResultOptions {
  /** Stops reading. */
  stop: AbortController;
  /** Aborted when the service shuts down. */
  closing: AbortSignal;
  /** Releases the quota of streams. */
  release: () => void;
  /** Maximum number of rows in progress. */
  rowLimit: () => number;
  refusedLimit: number;
}

/**
 * Yields the lines of the response, those of several rows together. Ends early if the database is unavailable, if too many rows are refused, or when the
 * service shuts down.
 */
async function* resultLines(
  batches: AsyncGenerator<Iterable<BulkRow>, void>,
  work: Work<BulkRow, UpsertFacts, BulkResult>,
  { stop, closing, release, rowLimit, refusedLimit }: ResultOptions,
): AsyncGenerator<string> {
  const stopReading = () => stop.abort();
  closing.addEventListener("abort", stopReading);
  const yieldAfterSlice = createTimeSlice();
  let refused = 0;
  let lines = "";
  try {
    for await (const results of mapInOrder(batches, work, rowLimit)) {
      for (const result of results) {
        lines += lineOf(result);
        if (result.error?.code === "UNAVAILABLE") return yield lines;
        closing.throwIfAborted();
        if (result.result === "REFUSED" && ++refused >= refusedLimit) throw tooManyRefused(refused);
      }
      yield lines;
      lines = "";
      await yieldAfterSlice();
    }
    closing.throwIfAborted(); // there may be unread rows
  } catch (error) {
    yield lines + errorLine(closing.aborted ? shutdownError() : error);
  } finally {
    closing.removeEventListener("abort", stopReading);
    stop.abort();
    release();
  }
}

function tooManyRefused(count: number): DomainError {
  const reason = `${count} rows have been refused; correct them and send the file again`;
  return new DomainError("INVALID_INPUT", `Cannot continue: ${reason}`);
}

/** Reads the keys of a row. Rows about one customer share a key, whether they name its ID or its email. */
async function prepare(
  row: BulkRow,
  find: (email: string) => Promise<string | undefined>,
): Promise<Prepared<UpsertFacts>> {
  if (!("fields" in row)) return { keys: [], facts: {} };
  const { customerId, email } = row.fields;
  if (email === undefined) return { keys: customerId === undefined ? [] : [customerId], facts: {} };
  const facts: UpsertFacts = await find(email).then((id) => ({ owner: { id } }), () => ({}));
  const keys = [customerId, email.toLowerCase(), facts.owner?.id].filter((key) => key !== undefined);
  return { keys, facts };
}

async function* startingWith<T>(first: IteratorResult<T, void>, rest: AsyncGenerator<T, void>) {
  if (!first.done) yield first.value;
  yield* rest;
}
