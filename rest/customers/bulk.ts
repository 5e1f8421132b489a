/** `POST /customers/bulk`: registers and changes many customers, streamed in and out. */
import { HTTPException } from "@hono/hono/http-exception";
import { DomainError } from "../../domain/errors.ts";
import { PACE, pacedUpload } from "../../http/pace.ts";
import type { ConcurrencyQuota } from "../../http/concurrency_quota.ts";
import { allow, type Api, createRoute, refusals } from "../api.ts";
import { commandContext, creationHeaders } from "../conditions.ts";
import { inOrder, type Work } from "../in_order.ts";
import { ending, errorLine, JSON_LINES, jsonLines, lineOf } from "../json_lines.ts";
import { LINE_LIMIT } from "../lines.ts";
import type { RestOptions } from "../options.ts";
import { createPace } from "../pace.ts";
import { answerWith } from "../patient_answer.ts";
import { openStream, waiting } from "../streams.ts";
import { type BulkRow, BulkRowSchema, readRows, type RowFormat } from "./bulk_rows.ts";
import { type BulkResult, BulkResultSchema, createUpsert } from "./upsert.ts";

/** Rows under way at a time: fewer than the pool has connections, so that everybody else gets one too. */
const WIDTH = 6;
/** Bytes of results that wait for a client that reads nothing until it has sent everything. */
const UNREAD = 16 * 1024 * 1024;
const PATIENCE_MS = 60_000;
/** Refused rows after which a file is not read any further: the mistake is in all of it. */
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
  summary: "Registers and changes many customers",
  description:
    `Takes one customer a line, as JSON or as CSV with commas whose first row names the fields; an empty
cell says nothing about its field, and only JSON can clear one. A row with a \`customerId\` is about that customer (only
a service registers one who is not there), any other one about whoever has the \`email\`, in whatever case.

Answers with one line for each row, in the order of the rows and while they come in. A row that cannot be taken is
REFUSED and says why; the others are applied. A row has at most ${LINE_LIMIT / 1024} KiB. Rows about the same
customer follow one another. With ${REFUSED_LIMIT} refused rows the answer ends, and the rest of the file is not read.
A line that holds nothing but an \`error\` is the last one, as is a row whose error is UNAVAILABLE: the rows behind it
may have been applied or not.

With an \`Idempotency-Key\` each row is applied once, so that the same file can be sent again under it within a day,
and every row gives the same answer. A client should read while it sends: it may leave
${UNREAD / 1024 ** 2} MiB of answers unread, and sends at least 1 KiB in ${
      PATIENCE_MS / 1_000
    } seconds of being waited for.`
      .replaceAll(/(?<!\n)\n(?!\n)/g, " "),
  tags: ["Bulk"],
  middleware: allow("register and change customers", "CUSTOMER_MANAGER"),
  request: { headers: creationHeaders, body: { required: true, content } },
  responses: {
    200: jsonLines("The result of each row", BulkResultSchema),
    ...refusals(),
  },
});

export function addBulkRoutes(
  api: Api,
  options: Pick<RestOptions, "actors" | "lookups" | "reader" | "closing"> & { streams?: ConcurrencyQuota },
  { patienceMs = PATIENCE_MS, refusedLimit = REFUSED_LIMIT } = {},
): void {
  api.openapi(bulk, async (c) => {
    const format = FORMATS.get(c.req.header("content-type")?.split(";")[0]?.trim().toLowerCase() ?? "");
    if (!format) {
      const message = `its content-type must be ${[...FORMATS.keys()].join(" or ")}`;
      throw new HTTPException(415, { message });
    }
    const { storeId } = c.var.by;
    const leave = openStream(c, options.streams);
    const upsert = createUpsert(options, commandContext(c));
    const stop = new AbortController();
    const body: ReadableStream<Uint8Array<ArrayBuffer>> = c.req.raw.body ??
      new ReadableStream({ start: (controller) => controller.close() });
    const paced = pacedUpload(body, { ...PACE, stallMs: patienceMs });
    const rows = readRows(paced, format, { patienceMs, signal: stop.signal });
    // What is wrong with the whole of it, such as a header, has a status of its own.
    const first = await waiting(c, () => rows.next()).catch((error) => {
      stop.abort();
      leave();
      throw error;
    });
    const results = answerRows(startingWith(first, rows), {
      keysOf: (row) => keysOf(row, (email) => options.lookups.findCustomerId({ storeId, email })),
      work: upsert,
    }, { stop, closing: options.closing, leave, refusedLimit });
    const answer = answerWith(results, { unread: UNREAD, patienceMs });
    return c.body(answer, 200, { "content-type": JSON_LINES });
  });
}

interface Course {
  /** Ends the reading. */
  stop: AbortController;
  closing: AbortSignal;
  /** To be called at the end. */
  leave: () => void;
  refusedLimit: number;
}

/** Lines. Ends early when there is no database, when too many rows are refused, or when the service ends. */
async function* answerRows(
  batches: AsyncIterable<Iterable<BulkRow>>,
  work: Work<BulkRow, BulkResult>,
  { stop, closing, leave, refusedLimit }: Course,
): AsyncGenerator<string> {
  const end = () => stop.abort();
  closing.addEventListener("abort", end);
  const pace = createPace();
  let refused = 0;
  try {
    for await (const rows of batches) {
      for await (const result of inOrder(rows, work, WIDTH)) {
        yield lineOf(result);
        if (result.error?.code === "UNAVAILABLE") return;
        closing.throwIfAborted();
        if (result.result === "REFUSED" && ++refused >= refusedLimit) throw tooManyRefused(refused);
        await pace();
      }
    }
    closing.throwIfAborted(); // what has been read may not be all
  } catch (error) {
    yield errorLine(closing.aborted ? ending() : error);
  } finally {
    closing.removeEventListener("abort", end);
    stop.abort();
    leave();
  }
}

function tooManyRefused(count: number): DomainError {
  const reason = `${count} rows have been refused; correct them and send the file again`;
  return new DomainError("INVALID_INPUT", `Cannot go on: ${reason}`);
}

/** Rows about one customer, some by its id and some by its email, have one of these in common. */
async function keysOf(
  row: BulkRow,
  find: (email: string) => Promise<string | undefined>,
): Promise<string[]> {
  if ("refusal" in row) return [];
  const { customerId, email } = row.fields;
  const owner = email === undefined ? undefined : await find(email).catch(() => undefined);
  return [customerId, email?.toLowerCase(), owner].filter((key) => key !== undefined);
}

async function* startingWith<T>(first: IteratorResult<T, void>, rest: AsyncGenerator<T, void>) {
  if (!first.done) yield first.value;
  yield* rest;
}
