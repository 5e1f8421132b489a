/** Rows of the settings of stores. */
import { NO_SETTINGS, SETTING_NAMES, type StoreSettings } from "../domain/store_settings.ts";
import type { Tx } from "./connect.ts";
import type { ReadSql } from "./store_reader.ts";

/** Settings with their version, which is 0 in a store that has set nothing. */
export interface VersionedSettings extends StoreSettings {
  version: number;
  /** Null in a store that has set nothing. */
  updatedAt: Date | null;
}

const UNCHANGED: VersionedSettings = { ...NO_SETTINGS, version: 0, updatedAt: null };

const columns = (sql: ReadSql) =>
  sql`${
    SETTING_NAMES.map((name) => sql`${sql(name)}`).reduce((list, name) => sql`${list}, ${name}`)
  }, version, updated_at`;

/** Returns the settings of a store; all of them are null in a store that has set nothing. */
export async function settingsOf(sql: ReadSql, storeId: string): Promise<VersionedSettings> {
  const [row] = await sql<VersionedSettings[]>`
    select ${columns(sql)} from store_settings where store_id = ${storeId}`;
  return row ?? UNCHANGED;
}

export async function lockSettings(tx: Tx, storeId: string): Promise<VersionedSettings | undefined> {
  const [row] = await tx<VersionedSettings[]>`
    select ${columns(tx)} from store_settings where store_id = ${storeId} for update`;
  return row;
}

/** @param columns in camelCase */
export async function insertSettings(
  tx: Tx,
  storeId: string,
  columns: Record<string, unknown>,
): Promise<void> {
  await tx`insert into store_settings ${tx({ storeId, ...withJson(tx, columns) })}`;
}

/** @param columns in camelCase */
export async function updateSettings(
  tx: Tx,
  storeId: string,
  columns: Record<string, unknown>,
): Promise<void> {
  await tx`update store_settings set ${tx(withJson(tx, columns))} where store_id = ${storeId}`;
}

/** Marks lists and objects as JSON, which the driver would otherwise send as arrays and composite values. */
function withJson(tx: Tx, columns: Record<string, unknown>): Record<string, unknown> {
  const isJson = (value: unknown) => typeof value === "object" && value !== null && !(value instanceof Date);
  return Object.fromEntries(
    Object.entries(columns).map(([name, value]) => [
      name,
      isJson(value) ? tx.json(value as Parameters<Tx["json"]>[0]) : value,
    ]),
  );
}
