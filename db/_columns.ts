/** Names of columns in rows that travel as JSON. */
import postgres from "postgres";

const columns = new Map<string, string>();
const fields = new Map<string, string>();

/** Returns the row with the names of its columns, for a row in camelCase. */
export function toColumns(row: object): Record<string, unknown> {
  return rename(row, columns, postgres.fromCamel);
}

/** Like `toColumns`, without the store and without nulls: PostgreSQL reads an absent field of a record as null. */
export function toRecord(row: object): Record<string, unknown> {
  const record: Record<string, unknown> = {};
  for (const name in row) {
    const value = (row as Record<string, unknown>)[name];
    if (value !== null && name !== "storeId") record[renamed(name, columns, postgres.fromCamel)] = value;
  }
  return record;
}

/** Returns the row in camelCase. */
export function fromColumns(row: object): Record<string, unknown> {
  return rename(row, fields, postgres.toCamel);
}

function rename(row: object, names: Map<string, string>, convert: (name: string) => string) {
  const result: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(row)) result[renamed(name, names, convert)] = value;
  return result;
}

function renamed(name: string, names: Map<string, string>, convert: (name: string) => string): string {
  let other = names.get(name);
  // Both are names of columns, of which there are few.
  if (other === undefined) names.set(name, other = convert(name));
  return other;
}
