/** Rows of a bulk upsert: JSON Lines, or CSV whose first row names the fields. */
import { DomainError } from "../../domain/errors.ts";
import { asDomainError } from "../../db/errors.ts";
import { parseInput } from "../../domain/input.ts";
import { z } from "../api.ts";
import { type Line, LINE_LIMIT, type LineOptions, readLines } from "../line_splitter.ts";
import { findDelimiter, readColumns, readDelimiterLine, splitCells } from "./csv_header.ts";
import { NewCustomerSchema } from "./customer.ts";

const ignored = z.unknown().optional().meta({
  description: "Ignored, so that exported customers are accepted",
});
/** Fields of an exported customer that a row cannot change. */
const IGNORED = { status: ignored, version: ignored, registeredAt: ignored, updatedAt: ignored };

export const BulkRowSchema = NewCustomerSchema
  .extend({
    email: NewCustomerSchema.shape.email.nullish(),
    ...IGNORED,
    anonymizedAt: z.string().nullish().meta({
      description:
        "A row with this time and without an email is that of an erased customer, who stays UNCHANGED",
    }),
  })
  .refine(
    ({ customerId, email }) => customerId !== undefined || typeof email === "string",
    "customerId or email must be given",
  )
  .refine(
    ({ email, anonymizedAt }) => email !== null || typeof anonymizedAt === "string",
    { path: ["email"], message: "must be of type string" },
  )
  .meta({
    id: "BulkRow",
    description:
      "The customer with the customerId; without one, the customer with the email. Absent fields remain unchanged.",
  });

type ParsedRow = z.output<typeof BulkRowSchema>;

/** Fields that a row sets. */
export type BulkFields = Omit<ParsedRow, keyof typeof IGNORED | "anonymizedAt" | "email"> & {
  email?: string;
};

/**
 * A row with its fields, with the ID of an erased customer, or with the reason of its refusal. Rows are counted from 1,
 * without header and blank rows.
 */
export type BulkRow =
  & { row: number }
  & ({ fields: BulkFields } | { erased: string } | { refusal: DomainError });

export type RowFormat = "json" | "csv";

/**
 * Yields the rows that each chunk completes. A row is parsed when the iteration reaches it, so that the caller can pause
 * between two rows.
 *
 * @throws {DomainError} INVALID_INPUT: the header of a CSV is not valid, or the client stalls
 */
export async function* readRows(
  body: ReadableStream<Uint8Array>,
  format: RowFormat,
  options: Omit<LineOptions, "quotes">,
): AsyncGenerator<Iterable<BulkRow>, void> {
  let count = 0;
  const rowOf = (read: typeof readJson, line: Line): BulkRow => {
    const row = ++count;
    const what = `row ${row}`;
    try {
      return {
        row,
        ...contentOf(parseInput(BulkRowSchema, read(readText(line, what), what), `accept ${what}`)),
      };
    } catch (error) {
      const refusal = asDomainError(error);
      if (!refusal) throw error;
      return { row, refusal };
    }
  };
  let [read, delimiter] = [format === "json" ? readJson : undefined, ""];
  const find = (line: string) => delimiter = readDelimiterLine(line) ?? findDelimiter(line, COLUMNS);
  const lines = readLines(body, { ...options, quotes: format === "csv", findDelimiter: find });
  for await (const batch of lines) {
    const blank = blankBytes(delimiter);
    const rows = batch.filter((line) => !isBlank(line, blank));
    if (!read && rows.length > 0 && readDelimiterLine(readText(rows[0], "the header"))) rows.shift();
    if (rows.length === 0) continue;
    const reader = read ??= csvReader(readText(rows.shift(), "the header"), delimiter);
    if (rows.length > 0) yield rows.values().map((line) => rowOf(reader, line));
  }
}

/** Removes the fields that a row cannot change. */
function contentOf(row: ParsedRow): { fields: BulkFields } | { erased: string } {
  const { email, anonymizedAt, ...others } = row;
  const { customerId } = others;
  if (typeof anonymizedAt === "string" && typeof email !== "string" && customerId !== undefined) {
    return { erased: customerId };
  }
  const fields = Object.fromEntries(Object.entries(others).filter(([field]) => !(field in IGNORED)));
  return { fields: { ...fields as Omit<BulkFields, "email">, ...(typeof email === "string" && { email }) } };
}

const DECODER = new TextDecoder("utf-8", { fatal: true });

function readText(line: Line, what: string): string {
  if (line === undefined) throw refusal(what, `it has more than ${LINE_LIMIT} bytes`);
  try {
    return DECODER.decode(line).replace(/\r$/, "");
  } catch (cause) {
    throw refusal(what, "it is not UTF-8", cause);
  }
}

function readJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's error quotes the text, which may be personal.
    throw refusal(what, "it is not JSON");
  }
}

/** Columns of a CSV. */
const COLUMNS = {
  accepted: [...Object.keys(NewCustomerSchema.shape), "anonymizedAt"],
  ignored: Object.keys(IGNORED),
};

/** Creates a reader for the columns of the header. An empty cell leaves its field unchanged. */
function csvReader(header: string, delimiter: string): typeof readJson {
  const columns = readColumns(readCells(header, delimiter, "the header"), COLUMNS);
  return (text, what) => {
    const cells = readCells(text, delimiter, what);
    const filled = cells.findLastIndex((cell) => cell.trim() !== "") + 1;
    if (cells.length < columns.length || filled > columns.length) {
      throw refusal(what, `it has ${cells.length} cells where the header has ${columns.length}`);
    }
    const fields: [string, unknown][] = [];
    for (const [at, column] of columns.entries()) {
      const cell = cells[at]!;
      if (column === null || cell.trim() === "") continue;
      if (column === undefined) throw refusal(what, `it has a value in column ${at + 1}, which has no name`);
      fields.push([column, column === "returning" ? asBoolean(cell) : cell]);
    }
    return Object.fromEntries(fields);
  };
}

function readCells(line: string, delimiter: string, what: string): string[] {
  const cells = splitCells(line, delimiter);
  if (!cells) throw refusal(what, "its quotes do not match");
  return cells;
}

/** Excel writes TRUE and FALSE. */
function asBoolean(cell: string): boolean | string {
  const lowerCase = cell.trim().toLowerCase();
  return lowerCase === "true" || (lowerCase === "false" ? false : cell);
}

/** Excel writes rows of empty cells after the last row with text. */
function isBlank(line: Line, blank: Uint8Array): boolean {
  return line !== undefined && line.every((byte) => blank.includes(byte));
}

/** The bytes that a blank row may have. */
function blankBytes(delimiter: string): Uint8Array {
  return new TextEncoder().encode(` \t\r${delimiter === "" ? "" : `"${delimiter}`}`);
}

function refusal(what: string, reason: string, cause?: unknown): DomainError {
  return new DomainError("INVALID_INPUT", `Cannot accept ${what}: ${reason}`, { cause });
}
