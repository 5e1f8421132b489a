/** Names of columns in rows that travel as JSON. */
import postgres from "postgres";

const columns = new Map<string, string>();
const fields = new Map<string, string>();

/** Returns the row with the names of its columns, for a row in camelCase. */
export function toColumns(row: object): Record<string, unknown> {
  return rename(row, columns, postgres.fromCamel);
}

/** Returns the row in camelCase. */
export function fromColumns(row: object): Record<string, unknown> {
  return rename(row, fields, postgres.toCamel);
}

function rename(row: object, names: Map<string, string>, convert: (name: string) => string) {
  const renamed: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(row)) {
    let other = names.get(name);
    // Both are names of columns, of which there are few.
    if (other === undefined) names.set(name, other = convert(name));
    renamed[other] = value;
  }
  return renamed;
}
