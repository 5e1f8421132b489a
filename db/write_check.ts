/**
 * Write check: whether the server accepts changes. A server with a full disk still answers reads, and some writes, so
 * readiness has to ask after it has refused one.
 */
import type { Sql } from "./connect.ts";
import { isFull } from "./errors.ts";

export interface WriteCheck {
  /** Takes each error of the pools. */
  report(error: unknown): void;
  /** Returns whether changes are accepted. Asks the server only after it has refused one. */
  passes(sql: Sql): Promise<boolean>;
}

export function createWriteCheck(): WriteCheck {
  let isSuspected = false;
  return {
    report(error) {
      if (isFull(error)) isSuspected = true;
    },
    async passes(sql) {
      if (!isSuspected) return true;
      isSuspected = !await hasRoom(sql);
      return !isSuspected;
    },
  };
}

/** Writes a megabyte into a new table, which takes space on the disk, and gives the space back. */
async function hasRoom(sql: Sql): Promise<boolean> {
  try {
    await sql.begin((tx) =>
      tx`
        create temporary table write_check on commit drop as
        select repeat('x', 1000) as filler from generate_series(1, 1000)`
    );
    return true;
  } catch (error) {
    if (isFull(error)) return false;
    throw error;
  }
}
