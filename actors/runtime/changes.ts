/** Differences between a row and an update. */
import { isDeepStrictEqual } from "node:util";

/** The fields of `input` that are given and differ from the row; an absent field stays as it is. */
export function changedOnly<Input extends object>(row: object, input: Input): Partial<Defined<Input>> {
  const current = row as Record<string, unknown>;
  const changed = Object.entries(input).filter(([name, value]) =>
    value !== undefined && !isDeepStrictEqual(value, current[name])
  );
  return Object.fromEntries(changed) as Partial<Defined<Input>>;
}

type Defined<T> = { [K in keyof T]-?: Exclude<T[K], undefined> };

/** The fields of column names, in camelCase as every public contract names them. */
export function fieldNames(columns: readonly string[]): string[] {
  return columns.map((name) => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()));
}

/** The column names of fields in camelCase, as the journal uses them. */
export function columnNames(fields: object): string[] {
  return Object.keys(fields).map((name) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`));
}
