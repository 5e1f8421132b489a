/** Header of a CSV: finds the delimiter, and the field of each column. */
// @ts-types="@types/papaparse"
import Papa from "papaparse";
import { DomainError } from "../../domain/errors.ts";

/** Delimiters that are recognized, the standard one first. Excel writes semicolons where commas are decimal points. */
const DELIMITERS = [",", ";", "\t"];

/** Line before the header that names the delimiter, as Excel writes and reads it. */
const DELIMITER_LINE = /^\s*"?sep=(.)"?\s*$/i;

/** Fields that a column may have. */
export interface Fields {
  /** Fields of a row. */
  accepted: readonly string[];
  /** Fields of an exported customer that a row cannot change. Their cells are ignored. */
  ignored: readonly string[];
}

/** @throws {DomainError} INVALID_INPUT: the delimiter is not one of DELIMITERS */
export function readDelimiterLine(line: string): string | undefined {
  const [, delimiter] = line.match(DELIMITER_LINE) ?? [];
  if (delimiter === undefined || DELIMITERS.includes(delimiter)) return delimiter;
  throw refusal("its sep= line must name a comma, a semicolon or a tab");
}

/** Returns the delimiter with which a header names the most fields, or else has the most cells. */
export function findDelimiter(header: string, { accepted, ignored }: Fields): string {
  const known = new Set([...accepted, ...ignored].map(comparable));
  const scores = DELIMITERS.map((delimiter) => {
    const cells = header.replaceAll('"', "").split(delimiter);
    return {
      delimiter,
      known: cells.filter((cell) => known.has(comparable(cell))).length,
      cells: cells.length,
    };
  });
  scores.sort((one, other) => other.known - one.known || other.cells - one.cells);
  return scores[0]!.delimiter;
}

/**
 * Returns the field of each column; undefined for a column whose cells must be empty, because its header is empty, and
 * null for a column whose cells are ignored. Names are compared without regard to case, spaces, underscores and hyphens.
 *
 * @throws {DomainError} INVALID_INPUT
 */
export function readColumns(cells: readonly string[], fields: Fields): (string | undefined | null)[] {
  const accepted = new Map(fields.accepted.map((field) => [comparable(field), field]));
  const ignored = new Set(fields.ignored.map(comparable));
  const unknown: number[] = [];
  const firstColumns = new Map<string, number>();
  const columns = cells.map((cell, at) => {
    const name = comparable(cell);
    if (name === "") return undefined;
    if (!accepted.has(name) && !ignored.has(name)) unknown.push(at);
    const earlier = firstColumns.get(name);
    if (earlier !== undefined && !unknown.length) {
      throw refusal(`columns ${earlier + 1} and ${at + 1} both name ${accepted.get(name) ?? cell.trim()}`);
    }
    firstColumns.set(name, at);
    return accepted.get(name) ?? null;
  });
  if (unknown.length > 0) throw refusal(`${describeUnknown(unknown, cells)}; ${describeAccepted(fields)}`);
  if (columns.every((column) => column === undefined)) throw refusal(describeAccepted(fields));
  return columns;
}

/** Splits a line into its cells; undefined if its quotes do not match. */
export function splitCells(line: string, delimiter: string): string[] | undefined {
  const { data, errors } = Papa.parse<string[]>(line, { delimiter, newline: "\n" });
  return errors.length === 0 && data.length === 1 ? data[0] : undefined;
}

const comparable = (name: string) => name.replace(/[\s_-]+/gu, "").toLowerCase();

/** Maximum number of columns in a message. */
const NAMED = 20;

function describeUnknown(unknown: readonly number[], cells: readonly string[]): string {
  const mayName = isHeader(cells);
  const descriptions = unknown.slice(0, NAMED).map((at) =>
    `column ${at + 1}${mayName ? ` (${cells[at]!.trim()})` : ""}`
  );
  if (unknown.length > NAMED) descriptions.push(`and ${unknown.length - NAMED} more`);
  return `${descriptions.join(", ")} ${unknown.length === 1 ? "is" : "are"} not known`;
}

function describeAccepted({ accepted, ignored }: Fields): string {
  return `its first row must name fields of a customer, each once, between commas, semicolons or tabs: ` +
    `${accepted.join(", ")}; ${ignored.join(", ")} are ignored`;
}

/** A header consists of words. A file without a header begins with the values of a customer, which are personal. */
function isHeader(cells: readonly string[]): boolean {
  return cells.every((cell) => /^[\p{L}\p{N} _.()/-]{0,50}$/u.test(cell) && !/^[\d\s().-]+$/.test(cell));
}

function refusal(reason: string): DomainError {
  return new DomainError("INVALID_INPUT", `Cannot accept the CSV: ${reason}`);
}
