/** Rows of a bulk upsert: JSON Lines, or CSV whose first row names the fields. */
// @ts-types="@types/papaparse"
import Papa from "papaparse";
import { DomainError } from "../../domain/errors.ts";
import { asDomainError } from "../../db/errors.ts";
import { parseInput } from "../../domain/input.ts";
import { z } from "../api.ts";
import { type Line, LINE_LIMIT, type LineOptions, readLines } from "../line_splitter.ts";
import { NewCustomerSchema } from "./customer.ts";

export const BulkRowSchema = NewCustomerSchema.partial({ email: true })
  .refine(
    ({ customerId, email }) => customerId !== undefined || email !== undefined,
    "customerId or email must be given",
  )
  .meta({
    id: "BulkRow",
    description:
      "The customer with the customerId; without one, the customer with the email. Absent fields remain unchanged.",
  });

export type BulkFields = z.output<typeof BulkRowSchema>;

/** A row with its fields, or with the reason of its refusal. Rows are counted from 1, without header and empty lines. */
export type BulkRow = { row: number } & ({ fields: BulkFields } | { refusal: DomainError });

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
      return { row, fields: parseInput(BulkRowSchema, read(readText(line, what), what), `accept ${what}`) };
    } catch (error) {
      const refusal = asDomainError(error);
      if (!refusal) throw error;
      return { row, refusal };
    }
  };
  let read = format === "json" ? readJson : undefined;
  for await (const batch of readLines(body, { ...options, quotes: format === "csv" })) {
    const lines = batch.filter((line) => !isBlank(line));
    if (lines.length === 0) continue;
    const reader = read ??= csvReader(readText(lines.shift(), "the header"));
    if (lines.length > 0) yield lines.values().map((line) => rowOf(reader, line));
  }
}

function readText(line: Line, what: string): string {
  if (line === undefined) throw refusal(what, `it has more than ${LINE_LIMIT} bytes`);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(line).replace(/\r$/, "");
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

/** Creates a reader for the columns of the header. An empty cell leaves its field unchanged. */
function csvReader(header: string): typeof readJson {
  const names = readCells(header, "the header");
  const accepted = Object.keys(NewCustomerSchema.shape);
  if (!names.every((name) => accepted.includes(name)) || new Set(names).size < names.length) {
    const reason = `its first row must name fields of a customer, each once: ${accepted.join(", ")}`;
    throw new DomainError("INVALID_INPUT", `Cannot accept the CSV: ${reason}`);
  }
  return (text, what) => {
    const cells = readCells(text, what);
    if (cells.length !== names.length) {
      throw refusal(what, `it has ${cells.length} cells where the header has ${names.length}`);
    }
    const fields = names.map((name, at) => [name, name === "returning" ? asBoolean(cells[at]!) : cells[at]]);
    return Object.fromEntries(fields.filter(([, value]) => typeof value !== "string" || value.trim() !== ""));
  };
}

function readCells(line: string, what: string): string[] {
  const { data, errors } = Papa.parse<string[]>(line, { delimiter: ",", newline: "\n" });
  if (errors.length > 0 || data.length !== 1) throw refusal(what, "its quotes do not match");
  return data[0]!;
}

function asBoolean(cell: string): boolean | string {
  return cell === "true" || (cell === "false" ? false : cell);
}

function isBlank(line: Line): boolean {
  return line !== undefined && line.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d);
}

function refusal(what: string, reason: string, cause?: unknown): DomainError {
  return new DomainError("INVALID_INPUT", `Cannot accept ${what}: ${reason}`, { cause });
}
